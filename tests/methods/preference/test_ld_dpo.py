import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.paper("singhal2023egk")

LD_DPO, DPO = load("preference/ld_dpo"), load("preference/dpo")


def test_whole_answers_are_dpo():
    whole = on_pair(configure(LD_DPO, {"beyond": 1.0}))
    assert whole.metrics == pytest.approx(on_pair(DPO).metrics, abs=1e-14)


def test_with_nothing_beyond_the_longer_answer_is_cut():
    cut = answer(**{n: v[:4] for n, v in CHOSEN.values.items()})
    assert on_pair(configure(LD_DPO, {"beyond": 0.0})).metrics["loss"] == on_pair(DPO, cut, REJECTED).metrics["loss"]
