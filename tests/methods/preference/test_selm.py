import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, FRESH, REJECTED, on_pair

pytestmark = pytest.mark.paper("zhang2024lqf")

SELM, DPO = load("preference/selm"), load("preference/dpo")


def on(*fresh, **settings):
    return step(configure(SELM, settings), CHOSEN, REJECTED, pairs=[(0, 1)], others={"fresh": fresh})


def test_the_mean_is_over_fresh_answers():
    one = on(FRESH, FRESH, **{"exploration.weight": 0.02})
    assert one.metrics["loss/exploration"] == pytest.approx(1.5)
    assert one.gradient("logp", "fresh")[1] == pytest.approx([0.01, 0.01])


def test_without_exploration_it_is_dpo():
    one = on(FRESH, **{"beta": 0.1, "exploration.weight": 0.0})
    assert one.metrics["loss"] == pytest.approx(on_pair(DPO).metrics["loss"])


def test_the_fresh_answers_are_the_references():
    assert SELM.streams["fresh"].sampling[0].mix == (("reference", 1.0),)
