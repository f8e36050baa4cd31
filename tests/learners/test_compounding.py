"""Errors of cloning grow with the square of the horizon, those of online learning with the horizon."""

from __future__ import annotations

import pytest

from posttrain.learners.compounding import cloned, online, steps_off

pytestmark = pytest.mark.paper("sun2023awe")


def test_golden():
    """ε = 0.1, T = 2: off after one step 0.1, after two 0.1 + 0.9 · 0.1."""
    assert cloned(2, 0.1) == pytest.approx(0.1 + 0.19)
    assert online(2, 0.1) == pytest.approx(0.2)
    assert steps_off(2, mistake=0.1, back=0.5) == pytest.approx(0.1 + 0.05 + 0.09)


@pytest.mark.parametrize(("horizon", "mistake"), [(1, 0.3), (7, 0.2), (50, 0.01)])
def test_the_closed_forms(horizon, mistake):
    assert cloned(horizon, mistake) == pytest.approx(horizon - sum((1 - mistake) ** t for t in range(1, horizon + 1)))
    assert online(horizon, mistake) == pytest.approx(mistake * horizon)


def test_twice_the_horizon_is_four_times_the_error_of_cloning_and_twice_that_of_online_learning():
    assert cloned(200, 1e-4) / cloned(100, 1e-4) == pytest.approx(4, abs=0.05)
    assert cloned(100, 1e-4) == pytest.approx(1e-4 * 100**2 / 2, rel=0.02)
    assert online(200, 1e-4) / online(100, 1e-4) == pytest.approx(2)
    assert cloned(9, 0.0) == online(9, 0.0) == 0.0
