"""Gaps between sets of questions, against scipy and by enumeration."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
from scipy import stats

from posttrain.evaluation.metrics.generalisation import fisher, gap, permutation


@pytest.mark.parametrize("table", [(9, 10, 4, 10), (0, 5, 5, 5), (3, 7, 2, 9), (5, 5, 5, 5), (1, 20, 0, 3)])
def test_fishers_exact_test_is_that_of_scipy(table):
    a, n, b, m = table
    assert fisher(a, n, b, m) == pytest.approx(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)


def test_the_permutation_test_counts_every_relabelling():
    ones, others = [3.0, 2.5], [1.0, 0.5, 2.0]
    seen = abs(sum(ones) / 2 - sum(others) / 3)
    as_far = [abs(sum(p[:2]) / 2 - sum(p[2:]) / 3) >= seen - 1e-12 for p in permutations(ones + others)]
    assert permutation(ones, others) == pytest.approx(sum(as_far) / len(as_far))


def test_many_scores_are_relabelled_by_chance_but_the_same_each_time():
    ones, others = [i + 0.5 for i in range(15)], [float(i) for i in range(15)]
    p = permutation(ones, others)
    assert p == permutation(ones, others)
    assert abs(p - stats.ttest_ind(ones, others).pvalue) < 0.05


def test_shares_have_newcombes_interval_and_other_scores_welchs():
    shares = gap([1.0] * 9 + [0.0], [1.0] * 4 + [0.0] * 6)
    assert (shares.mean, shares.n, shares.p_value) == (pytest.approx(0.5), 20, pytest.approx(fisher(9, 10, 4, 10)))
    assert -1 < shares.low < 0.5 < shares.high < 1
    x, y = [2.0, 4.0, 6.0, 8.0], [1.0, 1.5, 2.0, 2.5, 3.0]
    reals, welch = gap(x, y), stats.ttest_ind(x, y, equal_var=False).confidence_interval()
    assert reals.mean == 3.0
    assert reals.low <= welch.low + 1e-9  # degrees of freedom are rounded down
    assert reals.low == pytest.approx(welch.low, abs=0.3)
    assert str(reals).startswith("+3.0000 [")


def test_edge_cases():
    assert gap([0.5], [0.25]).high == math.inf
    assert gap([0.5, 0.5], [0.25, 0.25]).low == 0.25
    with pytest.raises(ValueError, match="both sides"):
        gap([], [1.0])
