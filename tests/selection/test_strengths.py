"""Flips, soft labels and margins from the strength of preferences."""

import pytest
import torch

from posttrain.errors import DataError
from posttrain.records import Pair
from posttrain.selection.linear_reward import posterior
from posttrain.selection.strengths import halves, relabelled
from tests.selection.comparisons import preferred, truth

pytestmark = pytest.mark.paper("000:[86]")

PAIRS = [Pair(i, f"{i}?", f"good {i}", f"bad {i}", {"source": "s"}) for i in range(5)]


def test_golden():
    """u = 2, -3, 0, -1, 1: of a fifth of five pairs the second is flipped; the fourth stays doubtful."""
    found = relabelled(PAIRS, [2.0, -3.0, 0.0, -1.0, 1.0], flip=0.2, soften=0.1, margin=0.5)
    assert [p.chosen.split()[0] for p in found] == ["good", "bad", "good", "good", "good"]
    assert [p.rejected.split()[0] for p in found] == ["bad", "good", "bad", "bad", "bad"]
    assert [p.columns["agreement"] for p in found] == [1.0, 1.0, 1.0, 0.9, 1.0]
    assert [p.columns["margin"] for p in found] == [1.0, 1.5, 0.0, -0.5, 0.5]
    assert [p.columns["source"] for p in found] == ["s"] * 5


def test_golden_halves():
    one, two = halves(PAIRS, 7)
    assert sorted(p.id for p in (*one, *two)) == [0, 1, 2, 3, 4]
    assert (len(one), len(two)) == (2, 3)
    assert [p.id for p in one] == sorted(p.id for p in one)
    assert one == halves(PAIRS[::-1], 7)[0][::-1]
    assert len({tuple(p.id for p in halves(PAIRS, seed)[0]) for seed in range(9)}) > 3
    assert halves(PAIRS[:2], 7)[0]
    with pytest.raises(DataError, match="1 pairs cannot be halved"):
        halves(PAIRS[:1], 7)


def test_flipping_twice_is_nothing_and_strong_pairs_stay():
    once = relabelled(PAIRS, [-1.0] * 5, flip=1.0, soften=0.1, margin=1.0)
    again = relabelled(once, [-1.0] * 5, flip=1.0, soften=0.1, margin=1.0)
    assert [(p.chosen, p.rejected) for p in again] == [(p.chosen, p.rejected) for p in PAIRS]
    assert [p.chosen for p in relabelled(PAIRS, [-9.0] * 5, flip=0, soften=0, margin=0)] == [p.chosen for p in PAIRS]


def test_votes_of_models_that_did_not_see_a_pair_find_wrong_labels():
    """A fifth of the labels is wrong. The strength tells them from right ones, and flipping helps the reward."""
    theta, wrong = truth(6, 6.0), torch.arange(300) % 5 == 0
    right = preferred(theta, 300, seed=2)
    given = torch.where(wrong[:, None], -right, right)
    votes = torch.zeros(300, dtype=torch.float64)
    for split in range(5):
        order = torch.randperm(300, generator=torch.Generator().manual_seed(split))
        for own, other in ((order[:150], order[150:]), (order[150:], order[:150])):
            votes[other] += given[other] @ posterior(given[own]).mean / 5
    beaten = (votes[wrong][:, None] < votes[~wrong]).double().mean()
    assert beaten > 0.9  # the area under the ROC curve

    clean = preferred(theta, 1000, seed=77)

    def loss(pairs):
        return float(torch.nn.functional.softplus(-clean @ posterior(pairs).mean).mean())

    flipped = given.clone()
    flipped[votes.argsort()[:30]] *= -1
    assert loss(flipped) < 0.75 * loss(given)
