"""Curves compared at equal KL."""

from __future__ import annotations

import pytest

from posttrain.evaluation.gap import at_same_kl, paired


def test_equal_curves_have_no_gap_however_far_they_went():
    """y = 2 k on other points: who trained longer is not better for it."""
    short, long = [(k, 2 * k) for k in (0.0, 1.0, 3.0)], [(k, 2 * k) for k in (0.0, 0.5, 2.0, 9.0)]
    assert at_same_kl(short, long) == pytest.approx(0.0)


@pytest.mark.paper("tang2024wt3")
def test_a_constant_gap_is_found_and_changes_sign_with_the_order():
    one, two = [(k, 2 * k + 0.3) for k in (0.0, 1.0, 5.0)], [(k, 2 * k) for k in (4.0, 0.5, 2.0)]
    assert at_same_kl(one, two) == pytest.approx(0.3)
    assert at_same_kl(two, one) == pytest.approx(-0.3)


def test_a_gap_that_grows():
    """y = k against 0 between 0 and 4: 2 on average."""
    assert at_same_kl([(0, 0), (4, 4)], [(0, 0), (4, 0)]) == pytest.approx(2.0)


def test_seeds_are_paired():
    """The same gap at every seed is certain, however much the seeds differ."""
    ones = [[(0.0, base), (1.0, base + 1)] for base in (0.0, 5.0, -3.0)]
    twos = [[(k, y - 0.5) for k, y in curve] for curve in ones]
    assert paired(ones, twos) == pytest.approx((0.5, 0.5, 0.5))


def test_curves_without_a_kl_in_common():
    with pytest.raises(ValueError, match="no KL in common"):
        at_same_kl([(0, 0), (1, 1)], [(2, 0), (3, 1)])
