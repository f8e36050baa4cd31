"""Win rates at equal length."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.win_rate import length_controlled_win_rate, win_rate


def test_without_differences_in_length_the_two_rates_are_one():
    wins = [1, 1, 0, 0.5]
    assert win_rate(wins) == 0.625
    assert length_controlled_win_rate(wins, [0, 0, 0, 0]) == pytest.approx(0.625, abs=1e-3)
    assert win_rate([]) is length_controlled_win_rate([], []) is None


def test_a_judge_that_prefers_length_alone_gives_a_longer_model_no_controlled_win():
    """The longer answer wins 9 times in 10, and is the model's 80 times in 100: 0.74, but 0.5 at equal length."""
    differences = [10.0] * 80 + [-10.0] * 20
    wins = [1.0] * 72 + [0.0] * 8 + [1.0] * 2 + [0.0] * 18
    assert win_rate(wins) == 0.74
    assert length_controlled_win_rate(wins, differences) == pytest.approx(0.5, abs=1e-3)


def test_length_that_does_not_matter_changes_nothing():
    wins, differences = [1, 1, 1, 0] * 10, [5, -5] * 20
    balanced = [w for w in wins for _ in (0, 1)], [d for _ in wins for d in (5, -5)]
    assert length_controlled_win_rate(*balanced) == pytest.approx(0.75, abs=1e-3)
    assert length_controlled_win_rate(wins, differences) > 0.5
