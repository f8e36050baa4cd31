import itertools
import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, THIRD, listed, on_pair

LIST, DPO = load("preference/dpo_list"), load("preference/dpo")


def test_two_answers_are_a_pair():
    two = step(LIST, *listed(CHOSEN, REJECTED))
    assert two.metrics["loss"] == pytest.approx(on_pair(DPO).metrics["loss"], abs=1e-14)
    assert two.gradient("logp")[1] == pytest.approx(on_pair(DPO).gradient("logp")[1], abs=1e-14)


def test_the_probabilities_of_all_orders_sum_to_one():
    orders = itertools.permutations((CHOSEN, REJECTED, THIRD))
    losses = [step(configure(LIST, {"beta": 0.9}), *listed(*order)).metrics["loss"] for order in orders]
    assert sum(math.exp(-x) for x in losses) == pytest.approx(1)


def test_a_constant_on_every_answer_changes_nothing():
    longer = [
        answer(logp=[-1.0, *a.values["logp"]], ref_logp=[-2.0, *a.values["ref_logp"]])
        for a in (CHOSEN, REJECTED, THIRD)
    ]
    plain = step(LIST, *listed(CHOSEN, REJECTED, THIRD)).metrics["loss"]
    assert step(LIST, *listed(*longer)).metrics["loss"] == pytest.approx(plain, abs=1e-14)
