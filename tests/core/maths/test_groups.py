"""Statistics of rows that share a group id."""

import statistics

import pytest
import torch

from posttrain.core.maths.groups import Groups

pytestmark = pytest.mark.usefixtures("float64")

IDS = torch.tensor([2**55, 7, 2**55, 7, 7, 3])
COUNTS = torch.tensor([True, True, True, True, False, True])
X = torch.tensor([1.0, 2.0, 5.0, 10.0, 99.0, 4.0]).double()
GROUPS = Groups.of(IDS, COUNTS)


def test_rows_that_do_not_count_see_the_statistics_of_the_others():
    assert GROUPS.size().tolist() == [2, 2, 2, 2, 2, 1]
    assert GROUPS.sum(X).tolist() == [6, 12, 6, 12, 12, 4]
    assert GROUPS.mean(X).tolist() == [3, 6, 3, 6, 6, 4]


@pytest.mark.parametrize(("ddof", "formula"), [(0, statistics.pstdev), (1, statistics.stdev)])
def test_std(ddof, formula):
    one, two = formula([1.0, 5.0]), formula([2.0, 10.0])
    assert GROUPS.std(X, ddof).tolist() == pytest.approx([one, two, one, two, two, 0])


def test_a_group_of_which_nothing_counts_is_zero():
    groups = Groups.of(torch.tensor([1, 1]), torch.tensor([False, False]))
    x = torch.tensor([3.0, 4.0])
    assert groups.mean(x).tolist() == groups.std(x, 1).tolist() == groups.sum(x).tolist() == [0, 0]


def test_a_nan_that_does_not_count_is_not_seen():
    x = X.clone()
    x[4] = torch.nan
    assert GROUPS.mean(x).isfinite().all()
