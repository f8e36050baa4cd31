"""Preference and language model pretrained together."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("yu2024p4z")

ROWS = [answer(reward_logp=[-1.0, -2.0], score=1.5), answer(reward_logp=[-4.0, -9.0], score=0.5)]


def test_without_the_text_it_is_bradley_terry():
    bare = step(configure(load("reward/pmp"), {"text.weight": 0.0}), *ROWS, pairs=[(0, 1)])
    assert bare.metrics["loss"] == pytest.approx(plain(1.0), abs=1e-14)


def test_a_likelier_answer_costs_less_whatever_its_length():
    longer = answer(reward_logp=[-1.0, -2.0, -1.5], score=1.5)
    one, other = (step(load("reward/pmp"), row, ROWS[1], pairs=[(0, 1)]).metrics["loss"] for row in (ROWS[0], longer))
    assert one == pytest.approx(other)
