"""Student's quantile and intervals, against scipy and by coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from posttrain.evaluation.statistics import difference_of_shares, mean_interval, student


def test_the_difference_of_two_shares():
    """Newcombe (1998), table II: 56/70 - 48/80 = 0.2, from 0.0524 to 0.3339."""
    assert difference_of_shares(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert difference_of_shares(48, 80, 56, 70) == pytest.approx((-0.2, -0.3339, -0.0524), abs=5e-5)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 9, 30])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_student_is_scipys(df, confidence):
    assert student(df, confidence) == pytest.approx(stats.t.ppf((1 + confidence) / 2, df), rel=1e-9)


def test_a_mean_of_few_numbers():
    """1, 2, 6: mean 3, standard error sqrt(7/3), t(2) = 4.302653."""
    mean, low, high = mean_interval([1.0, 2.0, 6.0])
    assert (mean, low, high) == pytest.approx((3.0, 3 - 4.302653 * math.sqrt(7 / 3), 3 + 4.302653 * math.sqrt(7 / 3)))
    assert mean_interval([2.5]) == (2.5, -math.inf, math.inf)
    assert mean_interval([1.0, 1.0]) == (1.0, 1.0, 1.0)


@pytest.mark.paper("fu2023pyr", "000:[62]")
def test_the_interval_covers_the_truth_as_often_as_it_says():
    drawn = np.random.default_rng(0).normal(3.0, 2.0, (2000, 5))
    covered = sum(low <= 3.0 <= high for _, low, high in map(mean_interval, drawn.tolist()))
    assert covered / 2000 == pytest.approx(0.95, abs=0.012)
