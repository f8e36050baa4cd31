"""One score of those of several members."""

import pytest
import torch
from torch import tensor

from posttrain.core.maths import members
from tests.harness.mutants import Formula, survivors

pytestmark = pytest.mark.paper("000-text:RM ensembles WCO/UWO")

SCORES = tensor([[1.0, 2.0, 6.0], [-1.0, 0.0, -2.0]], dtype=torch.float64)


def test_golden():
    """Means 3 and -1, variances 14/3 and 2/3 with M as the divisor."""
    expected = {
        "mean": [3.0, -1.0],
        "lowest": [1.0, -2.0],
        "variance": [3 - 0.5 * 14 / 3, -1 - 0.5 * 2 / 3],
        "deviation": [3 - 0.5 * (14 / 3) ** 0.5, -1 - 0.5 * (2 / 3) ** 0.5],
    }
    for by, aggregate in members.AGGREGATES.items():
        assert aggregate(SCORES, 0.5).tolist() == pytest.approx(expected.pop(by), abs=1e-14)
    assert not expected


def test_a_broken_formula_is_noticed():
    for fn in (members.mean, members.lowest, members.less_variance, members.less_deviation, members.deviation):
        dropped = survivors(fn, Formula, [test_golden])
        assert dropped <= {"drop -: -1", "exchange: (scores, weight)"}, fn.__name__  # the last of two axes


@pytest.mark.paper("zhai20238xc")
def test_doubt_never_raises_a_score_and_without_it_a_score_is_the_mean():
    scores = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    for by, aggregate in members.AGGREGATES.items():
        assert (aggregate(scores, 0.7) <= scores.mean(1) + 1e-6).all()
        assert torch.equal(aggregate(scores, 0.0), scores.mean(1)) or by == "lowest"
        assert aggregate(scores[:, :1], 0.7) == pytest.approx(scores[:, 0])  # one member is itself
        assert aggregate(scores.flip(1), 0.7) == pytest.approx(aggregate(scores, 0.7), abs=1e-6)
    half = (scores[:, 0] - scores[:, 1]).abs() / 2
    for by in ("lowest", "deviation"):  # of two members
        assert members.AGGREGATES[by](scores[:, :2], 1.0) == pytest.approx(scores[:, :2].mean(1) - half, abs=1e-6)


def test_a_constant_of_one_member_changes_what_all_say_until_they_are_on_one_scale():
    shifted = SCORES + tensor([5.0, 0.0, 0.0])
    assert (members.lowest(shifted, 1.0) != members.lowest(SCORES, 1.0)).any()
    centred, other = (x - x.mean(0) for x in (SCORES, shifted))
    assert members.lowest(centred, 1.0) == pytest.approx(members.lowest(other, 1.0))


def test_members_that_agree_have_no_gradient_of_their_deviation():
    scores = torch.zeros(2, 3, requires_grad=True)
    members.deviation(scores).sum().backward()
    assert scores.grad.abs().max() == 0
