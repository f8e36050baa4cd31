"""Agreement: textbook numbers, identities, and what must not matter."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from posttrain.errors import DataError
from posttrain.evaluation.agreement import ac1, agreement, alpha, bootstrap, cohen, fleiss, table

# Wikipedia's example of Fleiss' kappa: 10 items, 14 annotators, 5 values.
FLEISS = np.array(
    [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ],
    float,
)
# Krippendorff's example with three annotators, fifteen items and missing labels.
A = [None, None, None, None, None, 3, 4, 1, 2, 1, 1, 3, 3, None, 3]
B = [1, None, 2, 1, 3, 3, 4, 3, None, None, None, None, None, None, None]
C = [None, None, 2, 1, 3, 4, 4, None, 2, 1, 1, 3, 3, None, 4]
UNITS = [[x for x in unit if x is not None] for unit in zip(A, B, C, strict=True)]


def alpha_of(units, metric="nominal"):
    return alpha(*table(units), metric)


def test_fleiss_by_the_book():
    assert fleiss(FLEISS) == pytest.approx(0.20993, abs=1e-5)


def test_krippendorff_by_the_book():
    assert alpha_of(UNITS) == pytest.approx(0.691358, abs=1e-6)
    assert alpha_of(UNITS, "interval") == pytest.approx(0.810845, abs=1e-6)
    assert alpha_of(UNITS, "ordinal") == pytest.approx(0.8067, abs=1e-4)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha_is_its_definition(metric):
    """The mean distance within items, over that of any two labels: pair by pair."""
    units = [unit for unit in UNITS if len(unit) > 1]
    every = [x for unit in units for x in unit]

    def distance(c, k):
        between = sum(min(c, k) <= x <= max(c, k) for x in every) - (every.count(c) + every.count(k)) / 2
        return {"nominal": c != k, "interval": (c - k) ** 2, "ordinal": between**2 if c != k else 0}[metric]

    within = sum(distance(c, k) / (len(unit) - 1) for unit in units for c, k in permutations(unit, 2)) / len(every)
    between = sum(distance(c, k) for c, k in permutations(every, 2)) / len(every) / (len(every) - 1)
    assert alpha_of(UNITS, metric) == pytest.approx(1 - within / between)


def test_cohen_by_the_book():
    """[[20, 5], [10, 15]]: agreement 0.7, by chance 0.5."""
    one, other = "y" * 25 + "n" * 25, "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15
    assert cohen(one, other) == pytest.approx(0.4)
    for weights in ("linear", "quadratic"):  # two values: no weights to speak of
        assert cohen(one, other, weights) == pytest.approx(0.4)


def test_weights_forgive_small_differences():
    one, near, far = [1, 2, 3, 1, 2, 3], [1, 2, 3, 2, 3, 2], [1, 2, 3, 3, 2, 1]
    assert cohen(one, near, "quadratic") == pytest.approx(1 - (3 / 6) / (7 / 6))
    assert cohen(one, near, "quadratic") > cohen(one, near, "linear") > cohen(one, near)
    assert cohen(one, far, "quadratic") < cohen(one, far)


def test_gwet_is_steady_where_one_value_is_rare():
    """98 of 100 items twice yes, one yes and no, one no and yes: kappa is below 0, AC1 near the agreement of 0.98."""
    units = [["y", "y"]] * 98 + [["y", "n"], ["n", "y"]]
    counts = table(units)[1]
    share = 0.01
    chance = 2 * share * (1 - share)
    assert ac1(counts) == pytest.approx((0.98 - chance) / (1 - chance))
    assert fleiss(counts) < 0
    assert agreement(counts) == pytest.approx(0.98)


def test_gwet_of_five_values():
    share = FLEISS.sum(0) / FLEISS.sum()
    chance = (share * (1 - share)).sum() / 4
    assert agreement(FLEISS) == pytest.approx(0.378, abs=1e-3)
    assert ac1(FLEISS) == pytest.approx((agreement(FLEISS) - chance) / (1 - chance))


def test_the_interval_of_a_share_is_that_of_the_binomial():
    counts = table([["y", "y"]] * 200 + [["y", "n"]] * 200)[1]
    low, high = bootstrap(counts, agreement, resamples=2000)
    assert (low, high) == (pytest.approx(0.5 - 0.049, abs=0.006), pytest.approx(0.5 + 0.049, abs=0.006))
    assert bootstrap(counts, agreement, resamples=2000, level=0.5)[1] == pytest.approx(0.5 + 0.674 * 0.025, abs=0.006)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_perfect_agreement_is_1_and_chance_is_0(metric):
    assert alpha_of([[1, 1], [2, 2, 2], [3, 3]], metric) == pytest.approx(1.0)
    chance = np.random.default_rng(0).integers(1, 4, (4000, 3)).tolist()
    assert alpha_of(chance, metric) == pytest.approx(0.0, abs=0.03)


def test_less_than_chance_is_negative():
    assert alpha_of([[1, 2], [2, 1], [1, 2]]) < 0
    assert cohen("abab", "baba") == pytest.approx(-1)


def test_alpha_is_fleiss_kappa_up_to_a_small_sample():
    """1 - alpha = (1 - kappa) (1 - 1/n) for complete nominal labels, n labels in all."""
    n = FLEISS.sum()
    assert 1 - alpha(range(5), FLEISS) == pytest.approx((1 - fleiss(FLEISS)) * (1 - 1 / n))


def test_names_and_shifts_do_not_matter():
    renamed = [["dcba"[x - 1] for x in unit] for unit in UNITS]
    assert alpha_of(renamed) == pytest.approx(alpha_of(UNITS))
    shifted = [[3 * x + 7 for x in unit] for unit in UNITS]
    assert alpha_of(shifted, "interval") == pytest.approx(alpha_of(UNITS, "interval"))
    squared = [[x**2 for x in unit] for unit in UNITS]
    assert alpha_of(squared, "ordinal") == pytest.approx(alpha_of(UNITS, "ordinal"))


def test_items_with_one_label_say_nothing():
    assert alpha_of([*UNITS, [1], [4]]) == pytest.approx(alpha_of(UNITS))


def test_where_there_is_nothing_to_measure():
    assert math.isnan(alpha_of([[1, 1], [1, 1]]))
    assert math.isnan(cohen("aa", "aa"))
    with pytest.raises(DataError, match="take Krippendorff's alpha"):
        fleiss(table([[1, 2], [1, 2, 2]])[1])


def test_the_interval_covers_the_value_and_narrows_with_data():
    values, counts = table(UNITS)
    few = bootstrap(counts, lambda c: alpha(values, c), resamples=200)
    many = bootstrap(np.repeat(counts, 9, 0), lambda c: alpha(values, c), resamples=200)
    assert few[0] < many[0] < alpha(values, counts) < many[1] < few[1]
    assert few == bootstrap(counts, lambda c: alpha(values, c), resamples=200)
