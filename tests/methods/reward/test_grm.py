"""The language model beside the score head."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("003:OOD-robust RMs")


ROWS = [answer(reward_logp=[-1.0, -2.0], score=1.5), answer(reward_logp=[-4.0, -9.0], score=0.5)]


def test_without_the_text_it_is_bradley_terry_and_the_rejected_answer_is_not_read():
    bare = step(configure(load("reward/grm"), {"text.weight": 0.0, "preference.weight": 1.0}), *ROWS, pairs=[(0, 1)])
    assert bare.metrics["loss"] == pytest.approx(plain(1.0), abs=1e-14)
    one = step(load("reward/grm"), *ROWS, pairs=[(0, 1)])
    assert one.gradient("reward_logp")[1] == [0.0, 0.0]
    assert all(x < 0 for x in one.gradient("reward_logp")[0])
