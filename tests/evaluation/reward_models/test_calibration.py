"""The probabilities of a reward model against what people choose."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posttrain.evaluation.reward_models.calibration import calibration, log_loss, reliability, temperature


def drawn(n: int = 200_000) -> np.ndarray:
    """Differences of a Bradley-Terry model that knows the truth: the better answer wins with probability σ(d)."""
    draw = np.random.default_rng(3)
    d = draw.normal(0, 2, n)
    return np.where(draw.random(n) < 1 / (1 + np.exp(-d)), d, -d)


def test_golden():
    """Two pairs of D = log 3 (c = 3/4), one of them wrong: |1/2 - 3/4|."""
    found = calibration([math.log(3), -math.log(3)])
    assert found.ece == pytest.approx(0.25)
    assert found.brier == pytest.approx((0.25**2 + 0.75**2) / 2)
    assert found.log_loss == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    assert found.temperature == math.inf  # the scores say nothing


def test_the_truth_is_calibrated_and_three_times_its_scores_need_temperature_three():
    d = drawn()
    assert calibration(d).ece < 0.01
    assert temperature(d) == pytest.approx(1.0, rel=0.03)
    assert temperature(3 * d) == pytest.approx(3 * temperature(d), rel=1e-6)
    assert calibration(3 * d).ece > 0.1
    assert log_loss(3 * d, 3.0) == pytest.approx(log_loss(d))


def test_the_temperature_has_the_smallest_loss():
    d = 2.5 * drawn(2000)
    best = temperature(d)
    assert log_loss(d, best) < min(log_loss(d, best * 0.95), log_loss(d, best * 1.05))


def test_scores_that_are_always_right_have_no_smallest_temperature():
    assert temperature([1.0, 0.0, 2.0]) == 0.0
    assert temperature([-1.0, -2.0]) == math.inf


def test_bins_are_of_equal_size_in_the_order_of_confidence_and_none_is_small():
    bins = reliability([0.1 * i for i in range(-50, 50)], bins=4)
    assert [b.n for b in bins] == [25] * 4
    assert [b.confidence for b in bins] == sorted(b.confidence for b in bins)
    assert len(reliability([1.0] * 39, bins=15)) == 3
    assert len(reliability([1.0])) == 1
