from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair, shifted

DPOP, DPO = configure(load("preference/dpop"), {"guard": 2.0}), load("preference/dpo")
FALLEN = shifted(CHOSEN, logp=-0.5)  # log-ratio 1 - 2.5


def test_while_the_preferred_answer_has_not_fallen_it_is_dpo():
    assert on_pair(DPOP).metrics == on_pair(DPO).metrics
    assert on_pair(configure(DPOP, {"guard": 0.0}), FALLEN).metrics == on_pair(DPO, FALLEN).metrics


def test_the_other_answer_is_not_guarded():
    low = shifted(REJECTED, logp=-3.0)
    assert on_pair(DPOP, CHOSEN, low).metrics == on_pair(DPO, CHOSEN, low).metrics
