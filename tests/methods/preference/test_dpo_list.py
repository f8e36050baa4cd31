import itertools
import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

LIST, DPO = load("preference/dpo_list"), load("preference/dpo")
RATIOS = [1.0, -0.6, 0.4]  # of answers of 5, 4 and 2 tokens, the best first
THIRD = answer(logp=[-1.0, -1.0], ref_logp=[-1.2, -1.2])


def listed(*answers, group=0):
    return [also(a, rank=rank, group=group) for rank, a in enumerate(answers)]


def test_golden():
    one = step(LIST, *listed(CHOSEN, REJECTED, THIRD))
    a, b, c = (math.exp(0.1 * s) for s in RATIOS)
    assert one.metrics["loss"] == pytest.approx(math.log((a + b + c) / a) + math.log((b + c) / b), abs=1e-12)
    slopes = [a / (a + b + c) - 1, b / (a + b + c) + b / (b + c) - 1, c / (a + b + c) + c / (b + c)]
    for got, slope in zip(one.gradient("logp"), slopes, strict=True):
        assert got == pytest.approx([0.1 * slope] * len(got))


def test_golden_two_lists_do_not_mix():
    one = step(LIST, *listed(CHOSEN, REJECTED), *listed(REJECTED, CHOSEN, group=1))
    assert one.metrics["loss"] == pytest.approx(0.61634377 + 0.08, abs=1e-8)


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
