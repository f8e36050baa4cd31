"""Scores around 0."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

BRADLEY_TERRY = load("reward/bradley_terry")


def on(path, gaps, settings=None, **columns):
    """The step of pairs with these gaps of their scores."""
    rows = [answer(other=[0.0], score=x, **columns) for gap in gaps for x in (0.3 + gap, 0.3)]
    numbers = [(2 * i, 2 * i + 1) for i in range(len(gaps))]
    return step(configure(load(path), settings or {}), *rows, pairs=numbers)


def plain(*gaps):
    return on("reward/bradley_terry", gaps).metrics["loss"]


def test_the_gap_is_left_alone_and_the_sum_pulled_to_zero():
    rows = [answer(other=[0.0], score=x) for x in (1.5, 0.5)]
    first, second = step(load("reward/centred"), *rows, pairs=[(0, 1)]).gradient("score")
    chosen, rejected = step(BRADLEY_TERRY, *rows, pairs=[(0, 1)]).gradient("score")
    assert first - second == pytest.approx(chosen - rejected, abs=1e-14)
    assert first + second == pytest.approx(4 * 0.01 * 2.0, abs=1e-14)
