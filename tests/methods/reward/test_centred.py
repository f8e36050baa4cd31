"""Scores around 0."""

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

BRADLEY_TERRY = load("reward/bradley_terry")


def test_the_gap_is_left_alone_and_the_sum_pulled_to_zero():
    rows = [answer(other=[0.0], score=x) for x in (1.5, 0.5)]
    first, second = step(load("reward/centred"), *rows, pairs=[(0, 1)]).gradient("score")
    chosen, rejected = step(BRADLEY_TERRY, *rows, pairs=[(0, 1)]).gradient("score")
    assert first - second == pytest.approx(chosen - rejected, abs=1e-14)
    assert first + second == pytest.approx(4 * 0.01 * 2.0, abs=1e-14)
