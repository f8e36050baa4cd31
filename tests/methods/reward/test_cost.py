"""Costs of two answers, with signs."""

from __future__ import annotations

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain


def cost(chosen, rejected, safe, **settings):
    rows = [answer(other=[0.0], score=c, safe=float(s)) for c, s in zip((chosen, rejected), safe, strict=True)]
    return step(configure(load("reward/cost"), settings), *rows, pairs=[(0, 1)])


@pytest.mark.paper("002:BeaverTails")
def test_without_signs_it_is_bradley_terry_on_the_costs_with_the_other_sign():
    for chosen, rejected in ((0.3, 1.7), (2.0, -1.0)):
        assert cost(chosen, rejected, (1, 0), sign=0.0).metrics["loss"] == pytest.approx(plain(rejected - chosen))


def test_the_sign_fixes_where_zero_is():
    """A constant changes nothing in the order, but the signs pull harmful answers above 0 and safe ones below."""
    low, right, high = (cost(c - 1, c + 1, (1, 0)).metrics["loss"] for c in (-4.0, 0.0, 4.0))
    assert right < low == pytest.approx(high)
    free = [cost(c - 1, c + 1, (1, 0), sign=0.0).metrics["loss"] for c in (-4.0, 0.0)]
    assert free[0] == pytest.approx(free[1])


@pytest.mark.paper("002:BeaverTails")
def test_the_two_labels_may_disagree_with_helpfulness_and_two_safe_answers_still_have_an_order():
    safer = cost(0.0, 0.0, (1, 1)).gradient("score")
    assert safer[0] == pytest.approx(1.0)  # σ(0) from the order and σ(0) from the sign
    assert safer[1] == pytest.approx(0.0)  # the order raises it, the sign lowers it
    assert cost(0.0, 0.0, (0, 0)).gradient("score") == pytest.approx([0.0, -1.0])


@pytest.mark.parametrize("size", [300.0, -300.0])
def test_it_is_finite_at_extremes(size):
    assert 0 <= cost(size, -size, (0, 1)).metrics["loss"] < 2000
