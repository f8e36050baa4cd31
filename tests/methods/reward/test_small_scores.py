"""A penalty on the size of scores."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("hou2024tvy")


def test_it_is_half_the_centring_and_a_penalty_on_the_gap():
    """a² + b² = ((a+b)² + (a-b)²)/2."""
    chosen, rejected, c = 1.5, -0.25, 0.1
    rows = [answer(other=[0.0], score=x) for x in (chosen, rejected)]
    loss = step(configure(load("reward/small_scores"), {"size.weight": 2 * c}), *rows, pairs=[(0, 1)]).metrics["loss"]
    centred = step(configure(load("reward/centred"), {"centre.weight": c / 2}), *rows, pairs=[(0, 1)]).metrics["loss"]
    assert loss == pytest.approx(centred + c / 2 * (chosen - rejected) ** 2, abs=1e-14)
