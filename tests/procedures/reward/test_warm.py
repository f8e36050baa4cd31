"""Averages of reward models."""

import copy

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from tests.models.tiny import network, some_rows

pytestmark = pytest.mark.paper("000:[19]")


def scored(learner, role):
    return learner.models[role].outputs(*some_rows([5, 9, 3]), ["score"])["score"]


def averaged(heads):
    """The average of reward models with these heads on one trunk, as the procedure makes it."""
    base = network()
    base.add_head("score", 1)
    learner = LocalLearner({"policy": base})
    members = []
    for m, weight in enumerate(heads):
        learner.models["reward"] = copy.deepcopy(base)
        with torch.no_grad():
            learner.models["reward"].heads["score"].weight.copy_(weight)
        members.append(scored(learner, "reward"))
        learner.copy("reward", "average", 1 / (m + 1))
    return scored(learner, "average"), torch.stack(members)


def test_on_a_frozen_trunk_the_average_predicts_the_average_in_any_order():
    heads = torch.randn(4, 1, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, members = averaged(heads)
    torch.testing.assert_close(found, members.mean(0), rtol=0, atol=1e-7)
    torch.testing.assert_close(averaged(heads.flip(0))[0], found, rtol=0, atol=1e-7)
    alone, one = averaged(heads[:1])
    assert torch.equal(alone, one[0])


def test_its_loss_is_at_most_the_mean_loss_of_the_members():
    found, members = averaged(torch.randn(3, 1, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64))

    def loss(scores):
        return torch.nn.functional.softplus(scores[..., 1] - scores[..., 0])

    assert loss(found) < loss(members).mean()
