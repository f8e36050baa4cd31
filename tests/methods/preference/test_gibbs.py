"""Where rounds of DPO on a policy's own answers lead: on a bandit, to the Gibbs policy of the reference they keep."""

from __future__ import annotations

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.enumerated import Exact, Tabular, batch, every_group, kl_optimum, variation

BETA = 0.5
REWARD = torch.tensor([0.8, 0.0, -0.6], dtype=torch.float64)


def rounds_of_dpo(follows: bool, rounds: int = 2):
    """Each on pairs of two answers of the policy as it is, ordered as often as Bradley and Terry say."""
    policy, reference = Tabular(3, 1, ends=False), Tabular(3, 1, ends=False)
    for model in (policy, reference):
        model.logits.data = torch.tensor([[0.2, 0.5, 0.3]]).log()
    start = reference.distribution()
    pairs = [(i, j) for i, j in every_group(policy, 2) if i != j]
    for _ in range(rounds):
        own = policy.distribution()
        weights = torch.stack([own[i] * own[j] * (REWARD[i] - REWARD[j]).sigmoid() for i, j in pairs])
        if follows:
            reference.logits.data = policy.logits.detach().clone()
        made = batch(policy, pairs, pairs=True)
        method = configure(load("preference/dpo"), {"beta": BETA})
        run = Exact(method, {"policy": policy, "reference": reference}, {"main": made}, 0.05)
        for _ in range(45):
            run.step({"main": made}, weights / weights.sum())
    return start, policy.distribution()


@pytest.mark.paper("xiong2023klt")
def test_a_reference_that_stays_ends_at_its_gibbs_policy_and_one_that_follows_beyond():
    """π_0 exp(r/β) after any number of rounds, and π_0 exp(2 r/β) after two whose reference is the policy."""
    start, stays = rounds_of_dpo(follows=False)
    assert variation(stays, kl_optimum(start, REWARD, BETA)) < 0.01
    _, follows = rounds_of_dpo(follows=True)
    assert variation(follows, kl_optimum(start, REWARD, BETA / 2)) < 0.02
    assert variation(follows, stays) > 0.1
