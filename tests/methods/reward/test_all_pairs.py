"""Rankings of K answers."""

from itertools import permutations
from math import exp

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("002:Starling-7B")


def ranked(path, *scores):
    return step(load(path), *(answer(other=[0.0], score=s, rank=k, group=0) for k, s in enumerate(scores)))


@pytest.mark.paper("002:InstructGPT")
@pytest.mark.parametrize("path", ["reward/all_pairs", "reward/plackett_luce", "reward/choice"])
def test_two_answers_are_bradley_terry_and_a_constant_changes_nothing(path):
    assert ranked(path, 1.1, 0.4).metrics["loss"] == pytest.approx(plain(0.7), abs=1e-14)
    one, other = (ranked(path, *(s + c for s in (1.2, 0.3, -0.5))) for c in (0.0, 50.0))
    assert one.metrics["loss"] == pytest.approx(other.metrics["loss"], abs=1e-12)
    assert sum(one.gradient("score")) == pytest.approx(0, abs=1e-12)


def test_the_orders_of_plackett_and_luce_and_the_choices_have_probability_one():
    orders = permutations((1.2, 0.3, -0.5))
    assert sum(exp(-ranked("reward/plackett_luce", *o).metrics["loss"]) for o in orders) == pytest.approx(1, abs=1e-12)
    best = [(1.2, 0.3, -0.5), (0.3, 1.2, -0.5), (-0.5, 1.2, 0.3)]
    assert sum(exp(-ranked("reward/choice", *o).metrics["loss"]) for o in best) == pytest.approx(1, abs=1e-12)


@pytest.mark.paper("002:InstructGPT")
def test_a_list_counts_by_its_size_and_equal_ranks_are_no_pair():
    rows = [answer(other=[0.0], score=s, rank=k, group=0) for k, s in ((0, 1.0), (1, 0.2), (1, -0.4))]
    loss = step(load("reward/all_pairs"), *rows).metrics["loss"]
    assert loss == pytest.approx(plain(0.8, 1.4), abs=1e-14)
