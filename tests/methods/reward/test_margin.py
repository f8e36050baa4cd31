"""Margins on a reward model."""

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


def test_a_margin_is_a_gap_that_does_not_count():
    assert on("reward/margin", [1.7], margin=0.0).metrics["loss"] == pytest.approx(plain(1.7), abs=1e-14)
    assert on("reward/margin", [1.7], margin=0.5).metrics["loss"] == pytest.approx(plain(1.2), abs=1e-14)
    assert on("reward/margin", [1.7], margin=0.5).gradient("score")[0] == pytest.approx(
        on("reward/bradley_terry", [1.2]).gradient("score")[0], abs=1e-14
    )
