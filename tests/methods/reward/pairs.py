"""Pairs with given gaps of their scores, for the methods of reward models."""

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step


def on(path, gaps, settings=None, **columns):
    """The step of pairs with these gaps of their scores."""
    rows = [answer(other=[0.0], score=x, **columns) for gap in gaps for x in (0.3 + gap, 0.3)]
    numbers = [(2 * i, 2 * i + 1) for i in range(len(gaps))]
    return step(configure(load(path), settings or {}), *rows, pairs=numbers)


def plain(*gaps):
    """The loss of Bradley and Terry."""
    return on("reward/bradley_terry", gaps).metrics["loss"]
