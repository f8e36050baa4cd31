"""The worst distribution of the pairs."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("mandal2025qf5")

BRADLEY_TERRY = load("reward/bradley_terry")


def on(path, gaps, settings=None, **columns):
    """The step of pairs with these gaps of their scores."""
    rows = [answer(other=[0.0], score=x, **columns) for gap in gaps for x in (0.3 + gap, 0.3)]
    numbers = [(2 * i, 2 * i + 1) for i in range(len(gaps))]
    return step(configure(load(path), settings or {}), *rows, pairs=numbers)


def plain(*gaps):
    return on("reward/bradley_terry", gaps).metrics["loss"]


GAPS = [1.0, 0.2, -1.0]


def test_the_radius_leads_from_the_mean_to_the_worst_pair():
    losses = [on("reward/robust", GAPS, {"pair_weight.radius": r}).metrics["loss"] for r in (0.0, 0.2, 0.5, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(plain(*GAPS), abs=1e-14)
    assert losses[-1] == pytest.approx(plain(-1.0), abs=1e-14)
