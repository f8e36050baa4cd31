"""Heads of attributes in closed form, and what they lose of verbosity."""

import math

import pytest
import torch
from torch import tensor

from posttrain.errors import DataError
from posttrain.records import Demonstration
from posttrain.selection.attribute_heads import correlation, decorrelated, rated, ridge, solved

pytestmark = pytest.mark.paper("wang20247pw")
NAN = math.nan


def rows(*attributes):
    return [Demonstration(i, "q", "a", f"file:{i}", {"attributes": x}) for i, x in enumerate(attributes)]


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_golden_of_one_head():
    """E = (1, 2), a = (3, 1), λ = 1: (1*3 + 2*1)/(1 + 4 + 1)."""
    assert solved(tensor([[1.0], [2.0]]), tensor([3.0, 1.0]), 1.0).tolist() == pytest.approx([5 / 6])
    two = solved(tensor([[1.0, 0.0], [0.0, 2.0]]), tensor([3.0, 1.0]), 1.0)
    assert two.tolist() == pytest.approx([1.5, 0.4])


def test_a_head_is_the_minimum_of_the_ridge_regression():
    e, a = noise(0, 12, 3), noise(1, 12)
    w = solved(e, a, 0.7)
    assert (e.T @ (e @ w - a) + 0.7 * w).abs().max() < 1e-10


def test_a_missing_rating_is_not_read():
    e, a = noise(0, 10, 2), noise(1, 10, 2)
    gaps = a.clone()
    gaps[3, 0] = gaps[7, 0] = NAN
    kept = [i for i in range(10) if i not in (3, 7)]
    found = ridge(e, gaps, (0.5,))
    torch.testing.assert_close(found[0], solved(e[kept], a[kept, 0], 0.5))
    torch.testing.assert_close(found[1], solved(e, a[:, 1], 0.5))


def test_each_attribute_takes_the_penalty_that_predicts_held_out_ratings():
    """The fifth answer is held out. Of the first attribute it agrees with the others, of the second it doubts them."""
    e = tensor([[1.0]] * 5, dtype=torch.float64)
    a = tensor([[1.0, 1.0]] * 4 + [[1.0, 0.4]], dtype=torch.float64)
    weak, strong = 0.0, 1e6
    assert ridge(e, a, (strong, weak)).flatten().tolist() == pytest.approx([1.0, 4.4 / 1e6], rel=1e-3)


def test_golden_of_rank_correlations():
    assert correlation(tensor([1.0, 2.0, 3.0]), tensor([1.0, 4.0, 9.0])) == pytest.approx(1.0)
    assert correlation(tensor([1.0, 2.0, 3.0, 4.0]), tensor([2.0, 1.0, 4.0, 3.0])) == pytest.approx(1 - 6 * 4 / 60)
    assert correlation(tensor([1.0, 1.0, 2.0]), tensor([0.0, 1.0, 2.0])) == pytest.approx(1.5 / 3**0.5)
    # ranks 1.5, 1.5, 3, 4 around their mean 2.5: -1, -1, 0.5, 1.5 against -1.5, -0.5, 0.5, 1.5
    assert correlation(tensor([1.0, 1.0, 2.0, 3.0]), tensor([0.0, 1.0, 2.0, 3.0])) == pytest.approx(4.5 / 22.5**0.5)
    assert correlation(tensor([1.0, 1.0]), tensor([0.0, 1.0])) == 0.0


def test_no_more_of_verbosity_is_taken_than_the_threshold_wants():
    """The second head is that of verbosity; the first leans on it, the third is against it."""
    heads = tensor([[1.0, 1.0], [0.0, 2.0], [1.0, -3.0]], dtype=torch.float64)
    states = noise(2, 60, 2)
    r = states @ heads.T
    found = decorrelated(heads, states, 1, 0.1)
    assert correlation((states @ found.T)[:, 0], r[:, 1]) <= 0.1
    step = float(r[:, 0].std() / r[:, 1].std()) / 128
    share = float((heads[0] - found[0])[1] / heads[1, 1])
    assert share / step == pytest.approx(round(share / step))  # halved seven times
    assert correlation(r[:, 0] - (share - step) * r[:, 1], r[:, 1]) > 0.1  # no more than that
    assert torch.equal(found[2], heads[2])  # it is below the threshold as it is
    assert not found[1].any()


def test_golden_of_a_head_that_says_the_same():
    """All of it is taken. What is at the threshold stays as it is."""
    heads, states = tensor([[0.0, 1.0], [0.0, 2.0]]), tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 2.0]])
    assert decorrelated(heads, states, 1, 0.999).abs().max() < 1e-6
    assert torch.equal(decorrelated(heads, states, 1, 1.0)[0], heads[0])


def test_ratings_are_read_with_what_is_missing():
    found = rated(rows([1, None], [0.5, 2]))
    assert found.dtype == torch.float64
    assert found[0, 0] == 1
    assert bool(found[0, 1].isnan())
    assert found[1].tolist() == [0.5, 2.0]
    with pytest.raises(DataError, match="file:1: it has 1 attributes and the first answer has 2"):
        rated(rows([1, 2], [1]))
    with pytest.raises(DataError, match="file:0: no ratings; give .* a column `attributes`"):
        rated([Demonstration(0, "q", "a", "file:0")])
