import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("000:[32]")

DNO, DPO = load("preference/dno"), load("preference/dpo")


def on(first, second, **settings):
    return on_pair(configure(DNO, settings), also(CHOSEN, reward=first), also(REJECTED, reward=second))


def test_with_hard_labels_it_is_dpo():
    assert on(50.0, 0.0).metrics == pytest.approx(on_pair(DPO).metrics)


def test_it_is_rpo_but_for_the_entropy_of_the_label():
    rpo = on_pair(load("preference/rpo"), also(CHOSEN, reward=0.8), also(REJECTED, reward=0.3))
    p = 1 / (1 + math.exp(-0.5))
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    assert on(0.8, 0.3).metrics["loss"] == pytest.approx(rpo.metrics["loss"] + entropy)
    assert on(0.8, 0.3).gradient("logp")[0] == pytest.approx(rpo.gradient("logp")[0])


def test_exchanging_the_answers_changes_nothing():
    exchanged = on_pair(DNO, also(REJECTED, reward=0.3), also(CHOSEN, reward=0.8))
    assert exchanged.metrics["loss"] == pytest.approx(on(0.8, 0.3).metrics["loss"])
