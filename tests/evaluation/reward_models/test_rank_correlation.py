"""Correlations of two lists."""

from __future__ import annotations

import pytest
from scipy import stats

from posttrain.evaluation.reward_models.rank_correlation import kendall, pearson, ranks, roc_area, spearman

CORRELATIONS = (pearson, spearman, kendall)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_order_reversed_order_and_no_order(correlation):
    x = [1.0, 2.0, 5.0]
    assert correlation(x, x) == pytest.approx(1.0)
    assert correlation(x, [-y for y in x]) == pytest.approx(-1.0)
    assert correlation(x, [3.0, 3.0, 3.0]) == 0.0


def test_they_are_scipys_where_numbers_are_equal():
    x, y = [1.0, 2.0, 2.0, 4.0, 0.0], [1.0, 3.0, 2.0, 3.0, 3.0]
    for ours, theirs in ((pearson, stats.pearsonr), (spearman, stats.spearmanr), (kendall, stats.kendalltau)):
        assert ours(x, y) == pytest.approx(theirs(x, y).statistic)


def test_golden():
    x, y = [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 3.0]
    assert kendall(x, y) == pytest.approx((4 - 1) / (6 * 5) ** 0.5)
    assert ranks(y).tolist() == [1.0, 3.5, 2.0, 3.5]
    assert spearman(x, y) == pytest.approx(pearson([1, 2, 3, 4], [1, 3.5, 2, 3.5]))
    assert pearson(x, y) == pytest.approx(2.5 / (5 * 2.75) ** 0.5)


def test_the_area_under_the_roc_counts_pairs():
    assert roc_area([3.0, 1.0, 2.0], [True, False, True]) == 1.0
    assert roc_area([1.0, 3.0, 2.0], [True, False, True]) == 0.0
    assert roc_area([1.0, 1.0, 2.0, 0.0], [True, False, True, False]) == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    with pytest.raises(ValueError, match="positives and negatives"):
        roc_area([1.0], [True])
