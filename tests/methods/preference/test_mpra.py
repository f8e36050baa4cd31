import itertools
import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair
from tests.methods.preference.test_dpo_list import THIRD, listed

MPRA = load("preference/mpra")
MEANS = [-2.0, -3.0, -1.0]  # of answers of 5, 4 and 2 tokens, the best first


def test_golden():
    one = step(configure(MPRA, {"beta": 0.5, "nll.weight": 0.25}), *listed(CHOSEN, REJECTED, THIRD))
    a, b, c = (math.exp(0.5 * p) for p in MEANS)
    order = math.log((a + b + c) / a) + math.log((b + c) / b)
    assert one.metrics["loss/ranking"] == pytest.approx(order, abs=1e-12)
    assert one.metrics["loss/nll"] == pytest.approx(2)
    assert one.metrics["loss"] == pytest.approx(order + 0.5, abs=1e-12)
    whole, rest = a + b + c, b + c
    slopes = [0.5 * (a / whole - 1) - 0.25, 0.5 * (b / whole + b / rest - 1), 0.5 * (c / whole + c / rest)]
    for got, slope in zip(one.gradient("logp"), slopes, strict=True):
        assert got == pytest.approx([slope / len(got)] * len(got))


def test_golden_two_lists_do_not_mix():
    one = step(MPRA, *listed(CHOSEN, REJECTED), *listed(REJECTED, CHOSEN, group=1))
    assert one.metrics["loss/ranking"] == pytest.approx((math.log1p(math.exp(-1)) + math.log1p(math.exp(1))) / 2)
    assert one.metrics["loss/nll"] == pytest.approx((2 + 3) / 2)


def test_two_answers_are_simpo_without_a_margin():
    two = step(configure(MPRA, {"beta": 0.7, "nll.weight": 0.0}), *listed(CHOSEN, REJECTED))
    simpo = on_pair(configure(load("preference/simpo"), {"beta": 0.7, "margin": 0.0}))
    assert two.metrics["loss"] == pytest.approx(simpo.metrics["loss"], abs=1e-14)
    assert two.gradient("logp")[1] == pytest.approx(simpo.gradient("logp")[1], abs=1e-14)


def test_the_probabilities_of_all_orders_sum_to_one():
    orders = itertools.permutations((CHOSEN, REJECTED, THIRD))
    losses = [step(MPRA, *listed(*order)).metrics["loss/ranking"] for order in orders]
    assert sum(math.exp(-x) for x in losses) == pytest.approx(1)


def test_the_best_is_pulled_up_and_the_last_pushed_down():
    best, _, last = step(MPRA, *listed(CHOSEN, REJECTED, THIRD)).gradient("logp")
    assert max(best) < 0 < min(last)


def test_no_reference_model_is_loaded():
    assert plan(MPRA).loaded == ("policy",)
