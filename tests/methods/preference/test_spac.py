import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, FRESH, REJECTED, on_pair, shifted

pytestmark = pytest.mark.paper("ji2024d5f")

SPAC, DPO = load("preference/spac"), load("preference/dpo")
AT_START = [answer(logp=a.values["ref_logp"], ref_logp=a.values["ref_logp"]) for a in (CHOSEN, REJECTED)]


def on(*fresh, pair=(CHOSEN, REJECTED), **settings):
    return step(configure(SPAC, settings), *pair, pairs=[(0, 1)], others={"fresh": fresh or (FRESH,)})


def test_without_the_critic_it_is_dpo():
    one = on(**{"own.weight": 0.0, "data.weight": 0.0})
    assert one.metrics["loss"] == pytest.approx(on_pair(DPO).metrics["loss"])
    assert one.gradient("logp") == on_pair(DPO).gradient("logp")


def test_where_a_round_begins_it_is_log_2():
    written = answer(**{**FRESH.values, "logp": FRESH.values["ref_logp"]})
    assert on(written, pair=AT_START).metrics["loss"] == pytest.approx(math.log(2))


def test_a_constant_on_every_answer_changes_nothing():
    """The reward that the ratio stands for is known up to a constant of the prompt."""
    pair = [shifted(a, logp=1 / a.length) for a in (CHOSEN, REJECTED)]
    own = answer(**{**FRESH.values, "logp": [x + 0.5 for x in FRESH.values["logp"]]})
    assert on(own, pair=pair).metrics["loss"] == pytest.approx(on().metrics["loss"])


def test_the_own_answer_goes_down_and_the_preferred_one_up():
    one = on()
    assert max(one.gradient("logp")[0]) < 0 < min(one.gradient("logp", "fresh")[0])
