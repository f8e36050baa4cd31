"""Optimiser steps that are merged with the difference between two models."""

from __future__ import annotations

import copy

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.core.method import MAIN, variant
from posttrain.core.plan import plan
from posttrain.core.weights import StepMerging
from posttrain.errors import ConfigError, ModelError
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.models.lora import add_lora
from posttrain.training.trainer import Trainer
from tests.backends.contract import batch
from tests.models.tiny import network

pytestmark = pytest.mark.paper("lu202435m", "002:Qwen2")
RATE = 1e-2


def made(how=None, dtype=torch.float64):
    """A trainer of a policy, and beside it a base whose weights are smaller by a tenth."""
    policy = network().to(dtype)
    base = copy.deepcopy(policy)
    with torch.no_grad():
        for p in base.parameters():
            p.mul_(0.9)
    method = variant(SFT, merged_steps={} if how is None else {"policy": how})
    return Trainer(plan(method), LocalLearner({"policy": policy, "base": base}), rates=lambda _: {"policy": RATE})


def trained(trainer, steps=2):
    for seed in range(steps):
        trainer.train({MAIN: batch(seed)})
    return weights(trainer)


def weights(trainer):
    return {n: p.detach().clone() for n, p in trainer.learner.models["policy"].named_parameters()}


def same(one, other):
    return all(torch.equal(one[n], other[n]) for n in one)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_weight_of_0_is_adamw_to_the_bit(dtype):
    plain = trained(made(dtype=dtype))
    assert same(trained(made(StepMerging(weight=0.0), dtype)), plain)
    nothing = made(StepMerging(weight=1e-300, density=1.0), dtype)  # which the formula computes
    assert same(trained(nothing), plain)
    assert not same(trained(made(StepMerging(weight=0.5), dtype)), plain)


def test_a_step_is_the_weighted_sum():
    trainer, plain = made(StepMerging("dare", 0.25, 1.0)), made()
    start = weights(plain)
    found, stepped = trained(trainer, 1), trained(plain, 1)
    for name, x in start.items():
        expected = x + 0.25 * 0.1 * x + 0.75 * (stepped[name] - x)  # τ is a tenth of the policy
        torch.testing.assert_close(found[name], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rule", ["dare", "ties"])
def test_a_resumed_run_continues_bit_for_bit(rule):
    how = StepMerging(rule, 0.1, 0.3)
    whole, half = made(how), made(how)
    expected = trained(whole, 3)
    trained(half, 2)
    resumed = made(how)
    resumed.restore(half.state())
    resumed.train({MAIN: batch(2)})
    assert same(weights(resumed), expected)


def test_masks_of_steps_differ_and_that_of_the_difference_stays():
    trainer = made(StepMerging("dare", 1.0, 0.5))  # nothing but F(τ)
    start = weights(trainer)
    first, second = trained(trainer, 1), trained(trainer, 1)
    for name, x in start.items():
        torch.testing.assert_close(second[name] - first[name], first[name] - x, rtol=0, atol=1e-9)
    trainer = made(StepMerging("dare", 1e-9, 0.5))
    start = weights(trainer)
    first, second = trained(trainer, 1), trained(trainer, 1)
    name = max(start, key=lambda n: start[n].numel())
    moved = [(b[name] - a[name]).abs() > 1e-6 for a, b in ((start, first), (first, second))]
    assert not torch.equal(*moved)
    assert 0.3 < moved[0].double().mean() < 0.7


def test_what_cannot_be_merged_says_why():
    policy = network()
    add_lora(policy, 2, 4.0)
    method = variant(SFT, merged_steps={"policy": StepMerging()})
    with pytest.raises(ModelError, match="difference of whole weights to adapters"):
        LocalLearner({"policy": policy, "base": network(), "sft": network()}).prepare(plan(method))
    with pytest.raises(ConfigError, match=r"reads the model 'base' and the run has none"):
        LocalLearner({"policy": network()}).prepare(plan(method))
