"""A scale for each pair."""

import pytest

from tests.methods.reward.pairs import on, plain

pytestmark = pytest.mark.paper("hong2024mqe")


def test_it_is_the_minimum_over_the_scale():
    from math import exp, log, log1p

    for gap in (0.05, 2.0, -1.0):
        grid = [0.1 + 4.9 * i / 20000 for i in range(20001)]
        least = min(tau * log1p(exp(-gap / tau)) + (0.1 - log(2)) * tau for tau in grid)
        assert on("reward/adaptive_scale", [gap]).metrics["loss"] == pytest.approx(least, abs=1e-6)


def test_a_fixed_scale_is_bradley_terry_up_to_a_constant():
    from math import log

    fixed = on("reward/adaptive_scale", [1.3], {"smallest": 1.0, "largest": 1.0}).metrics["loss"]
    assert fixed == pytest.approx(plain(1.3) + 0.1 - log(2), abs=1e-12)
