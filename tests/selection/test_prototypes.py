"""Prototypes among states, and what they are worth where labels are few."""

import math

import pytest
import torch
from torch import tensor

from posttrain.core.maths.prototypes import drawn
from posttrain.selection.linear_reward import posterior
from posttrain.selection.prototypes import limit, prototypes

pytestmark = pytest.mark.paper("000:[38]")


def test_golden_of_the_distance_at_which_a_prototype_begins():
    assert limit(2.0, 6.0, 3, 0.1) == pytest.approx(-4 * math.log(0.1) + 6 * math.log(4))
    assert limit(0.0, 1.0, 3, 0.1) == 0.0


def test_golden_of_two_sides_and_of_one_state_far_away():
    """Means 0 and 1 of the sides; the last state is far from both, and its side then means 0.1 less."""
    near = tensor([[0.0], [1.0]] * 10, dtype=torch.float64)
    assert prototypes(near).tolist() == [[0.0], [1.0]]
    far = torch.cat([near, tensor([[0.0], [9.0]], dtype=torch.float64)])
    assert prototypes(far, alpha=0.9).flatten().tolist() == pytest.approx([0.0, 1.0, 9.0])
    assert prototypes(far, alpha=0.9, most=2).flatten().tolist() == pytest.approx([0.0, 19 / 11])
    assert len(prototypes(far, alpha=1e-9)) == 2


@pytest.mark.parametrize(("alpha", "count"), [(0.95, 4), (0.94, 2)])
def test_golden_of_the_threshold(alpha, count):
    """σ = 16/2 and ρ = 25/2, so that λ is 16 (log(1 + 25/16) - log α): just below 16 or just above it."""
    states = tensor([[0.0, 3.0], [10.0, 3.0], [0.0, 11.0], [10.0, 11.0]], dtype=torch.float64)
    found = prototypes(states, alpha=alpha)
    assert len(found) == count
    assert found.mean(0).tolist() == [5.0, 7.0]


def test_golden_a_mean_that_no_state_is_near_to_is_no_prototype():
    """The preferred states lie around 5, but none of them is as near to it as to a prototype of its own."""
    chosen, other = [0.0, 10.0] * 4, [20.0] * 8
    states = tensor([[x] for two in zip(chosen, other, strict=True) for x in two], dtype=torch.float64)
    assert sorted(prototypes(states, alpha=0.999).flatten().tolist()) == pytest.approx([0.0, 10.0, 20.0])


def world(seed):
    """Pairs of answers of six kinds, of which a later one is better, in a space of many directions."""
    g = torch.Generator().manual_seed(seed)
    kinds = 1.5 * torch.randn(6, 40, generator=g, dtype=torch.float64)
    better = torch.randint(1, 6, (200,), generator=g)
    worse = (torch.rand(200, generator=g) * better).long()
    which = torch.stack([better, worse], 1).flatten()
    return kinds[which] + 2.0 * torch.randn(400, 40, generator=g, dtype=torch.float64)


def accuracy(states, labels=12):
    """Of a linear reward that is fitted to a few of the pairs, on the others."""
    gaps = states[::2] - states[1::2]
    return float((gaps[labels:] @ posterior(gaps[:labels]).mean > 0).double().mean())


def test_fewer_labels_are_needed_where_answers_come_in_kinds():
    gains = [accuracy(drawn(h, prototypes(h, most=24))) - accuracy(h) for h in map(world, range(4))]
    assert sum(gains) / 4 > 0.02
