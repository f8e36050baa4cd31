import itertools
import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, REJECTED, THIRD, listed, on_pair

pytestmark = pytest.mark.paper("yang2024ppw")

MPRA = load("preference/mpra")


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
