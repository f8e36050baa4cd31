"""How often people see no difference is learned."""

from math import exp

import pytest
import torch

from posttrain.formulas.losses.ties import davidson, learned_threshold
from tests.methods.reward.pairs import on, plain

PATHS = pytest.mark.parametrize("path", ["reward/learned_ties", "reward/davidson"])


def loss(path, gap, tie, start=1.5):
    return on(path, [gap], {"start": start}, tie=tie, constant=0.0).metrics["loss"]


@PATHS
@pytest.mark.parametrize("gap", [-2.0, 0.0, 0.4])
def test_the_three_probabilities_sum_to_one(path, gap):
    assert exp(-loss(path, gap, 0.0)) + exp(-loss(path, -gap, 0.0)) + exp(-loss(path, gap, 1.0)) == pytest.approx(1)


def test_at_its_start_it_is_the_fixed_threshold_and_without_ties_it_is_bradley_terry():
    for tie in (0.0, 1.0):
        fixed = on("reward/ties", [0.7], {"theta": 1.5}, tie=tie).metrics["loss"]
        assert loss("reward/learned_ties", 0.7, tie) == pytest.approx(fixed, abs=1e-12)
    assert loss("reward/learned_ties", 0.7, 0.0, 1 + 1e-12) == pytest.approx(plain(0.7), abs=1e-9)
    assert loss("reward/davidson", 0.7, 0.0, 1e-12) == pytest.approx(plain(0.7), abs=1e-9)


@PATHS
def test_a_tie_is_most_likely_between_equals(path):
    below, equal, above = (loss(path, gap, 1.0) for gap in (-1.0, 0.0, 1.0))
    assert equal < below == pytest.approx(above, abs=1e-12)
    assert exp(-equal) == pytest.approx({"reward/learned_ties": 0.2, "reward/davidson": 1.5 / 3.5}[path], abs=1e-12)


@pytest.mark.parametrize("formula", [learned_threshold, davidson])
def test_the_rate_of_ties_is_recovered(formula):
    """Of equal answers 30 % tie: x/(2+x) of x = θ-1, or of x = ν."""
    constant = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([constant], lr=0.02)
    tie, zero = torch.tensor([1.0] * 3 + [0.0] * 7), torch.zeros(10)
    for _ in range(60):
        optimiser.zero_grad()
        formula(zero, zero, tie, constant.expand(10), start=1.5).mean().backward()
        optimiser.step()
    x = exp(10 * constant.item()) * (0.5 if formula is learned_threshold else 1.5)
    assert x / (2 + x) == pytest.approx(0.3, abs=0.02)
