"""Gates, both ways."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.gates import Gate, check


@pytest.mark.parametrize(
    ("demand", "passes", "fails"),
    [(">= 0.8", 0.8, 0.79), ("<=1e-1", 0.1, 0.11), ("> 0", 0.01, 0.0), ("< -1", -2.0, -1.0)],
)
def test_a_number_passes_or_fails(demand, passes, fails):
    assert Gate("m", demand, passes).passed
    assert not Gate("m", demand, fails).passed
    assert not Gate("m", demand, math.nan).passed


def test_what_was_not_measured_fails_and_says_so():
    passed, missing = check({"s.a": ">= 1", "s.b": ">= 1"}, {"s.a": 1.0})
    assert str(passed) == "passed: s.a is 1, demanded >= 1"
    assert not missing.passed
    assert str(missing) == "FAILED: s.b was not measured, demanded >= 1"
