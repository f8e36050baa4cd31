"""Soups: what an average of policies is at its ends, and what lies between them."""

import pytest
import torch

from posttrain.backends.local.merged import merged
from posttrain.models.merging.merge import Merge
from tests.models.tiny import network

pytestmark = pytest.mark.paper("000-text:Personalized Soups")


def soup(*weights):
    policies = {f"for_{i}": network(seed=i) for i in range(3)}
    return policies, dict(merged(policies, Merge(weights=weights), None).named_parameters())


@pytest.mark.parametrize("chosen", range(3))
def test_a_weight_of_one_gives_back_the_policy_of_its_preference(chosen):
    policies, mixed = soup(*(float(i == chosen) for i in range(3)))
    own = dict(policies[f"for_{chosen}"].named_parameters())
    assert mixed.keys() == own.keys()
    assert all(torch.equal(mixed[n], own[n]) for n in own)


def test_weights_mix_every_parameter_in_their_proportion():
    policies, mixed = soup(0.5, 0.3, 0.2)
    own = [dict(p.named_parameters()) for p in policies.values()]
    for n, x in mixed.items():
        expected = sum(w * p[n].double() for w, p in zip((0.5, 0.3, 0.2), own, strict=True))
        assert torch.allclose(x.double(), expected, atol=1e-6)


def test_on_quadratic_rewards_the_soups_are_on_the_front_and_above_the_chord():
    """r_i = -|θ - θ_i|²: the average is the best policy for the average reward, and better than mixing answers."""
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    rewards = [lambda x: -float((x - a).square().sum()), lambda x: -float((x - b).square().sum())]
    for share in (0.25, 0.5, 0.75):
        theta = Merge(weights=(share, 1 - share)).tensor("w", [a, b], None, 0)
        value = share * rewards[0](theta) + (1 - share) * rewards[1](theta)
        nearby = [theta + 0.01 * torch.tensor(d) for d in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0])]
        assert all(value > share * rewards[0](x) + (1 - share) * rewards[1](x) for x in nearby)
        assert all(r(theta) > share * r(a) + (1 - share) * r(b) for r in rewards)
