"""Regressions against their closed forms, and fits that recover what made the choices."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.metrics.regression import learning_rates, least_squares, logistic
from posttrain.evaluation.suites.cognition.replies import drawn


def test_least_squares_recovers_a_plane():
    rows = [[x, y] for x in (0, 1, 2) for y in (0, 5)]
    assert least_squares(rows, [3 + 2 * x - y for x, y in rows]) == pytest.approx([3, 2, -1])
    assert least_squares([[1.0], [1.0]], [1.0, 2.0]) is None


def test_logistic_regression_is_the_closed_form_of_a_table():
    """x = 1: 3 of 4, x = -1: 1 of 2. w0 + w1 = log 3, w0 - w1 = 0."""
    fitted = logistic([[1], [1], [1], [1], [-1], [-1]], [1, 1, 1, 0, 1, 0], ridge=1e-12)
    assert fitted == pytest.approx([math.log(3) / 2, math.log(3) / 2])
    assert logistic([], []) is None


def test_a_ridge_keeps_separable_choices_finite():
    fitted = logistic([[1], [-1]] * 5, [1, 0] * 5)
    assert 1 < fitted[1] < 20


def learner(positive, negative, slope, games=40, rounds=20):
    for g in range(games):
        q, game = [0.5, 0.5], []
        for t in range(rounds):
            choice = int(drawn("choice", g, t) > 1 / (1 + math.exp(-slope * (q[0] - q[1]))))
            reward = float(drawn("reward", g, t, choice) < (0.7, 0.3)[(choice + g) % 2])
            q[choice] += (positive if reward > q[choice] else negative) * (reward - q[choice])
            game.append((choice, reward))
        yield game


@pytest.mark.parametrize(("positive", "negative"), [(0.6, 0.2), (0.2, 0.6)])
def test_the_learning_rates_that_made_the_choices_are_recovered(positive, negative):
    found = learning_rates(list(learner(positive, negative, 4.0)))
    assert found.rate == pytest.approx(0.4, abs=0.15)
    assert found.optimism == pytest.approx(positive - negative, abs=0.25)
    assert found.slope in (2.0, 4.0, 8.0)
    assert learning_rates([[]]) is None
