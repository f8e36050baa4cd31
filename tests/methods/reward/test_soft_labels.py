"""Soft labels on a reward model."""

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


def test_certain_labels_are_bradley_terry_and_uncertain_ones_bound_the_gap():
    assert on("reward/soft_labels", [1.7], agreement=1.0).metrics["loss"] == pytest.approx(plain(1.7), abs=1e-14)
    low, high = (on("reward/soft_labels", [gap], agreement=0.9).gradient("score")[0] for gap in (2.1, 2.3))
    assert low < 0 < high  # the minimum is at log 9 = 2.197
