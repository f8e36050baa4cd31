"""Confidences against the truth, by hand."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.calibration import (
    brier,
    expected_calibration_error,
    quadratic_score,
    risk_coverage_area,
    selective_accuracy,
)


def test_the_error_of_two_bins_by_hand():
    """0.92, 0.95: one of two right; 0.3: right. (|1 - 1.87| + |1 - 0.3|) / 3."""
    assert expected_calibration_error([0.92, 0.95, 0.3], [1, 0, 1], bins=10) == pytest.approx((0.87 + 0.7) / 3)


def test_a_calibrated_model_has_no_error_and_opposite_errors_in_a_bin_cancel():
    assert expected_calibration_error([0.75] * 4, [1, 1, 1, 0]) == pytest.approx(0.0)
    assert expected_calibration_error([1.0, 1.0], [1, 1]) == 0.0
    assert expected_calibration_error([0.0], [0]) == 0.0
    assert expected_calibration_error([0.5, 0.5], [1, 0]) == 0.0


def test_a_bin_holds_its_upper_end():
    """0.5 and 0.45 share a bin of ten, 0.55 does not: with one right of each kind the errors add up otherwise."""
    assert expected_calibration_error([0.7, 0.65], [1, 0]) == pytest.approx(0.35 / 2)
    assert expected_calibration_error([0.5, 0.45], [1, 0]) == pytest.approx(0.05 / 2)
    assert expected_calibration_error([0.5, 0.55], [1, 0]) == pytest.approx((0.5 + 0.55) / 2)


def test_selective_accuracy_rises_with_confidence_and_ties_have_no_order():
    confidence, right = [0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0]
    assert selective_accuracy(confidence, right, 0.25) == 1.0
    assert selective_accuracy(confidence, right, 0.5) == selective_accuracy(confidence, [1, 0, 1, 0], 0.5) == 0.75
    assert selective_accuracy(confidence, right, 1.0) == 0.5
    assert selective_accuracy(confidence, right, 0.0) is None
    assert risk_coverage_area(confidence, right) == pytest.approx((0 + 0.25 + 1 / 3 + 0.5) / 4)


def test_scores_of_single_answers():
    assert quadratic_score(0.8, True) == pytest.approx(0.96)
    assert quadratic_score(0.8, False) == pytest.approx(0.36)
    assert brier([0.8, 0.8], [1, 0]) == pytest.approx((0.04 + 0.64) / 2)
    assert brier([], []) is risk_coverage_area([], []) is expected_calibration_error([], []) is None
