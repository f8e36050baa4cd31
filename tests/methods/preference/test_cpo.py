import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair, shifted

CPO = load("preference/cpo")


def test_without_the_likelihood_it_is_dpo_against_a_uniform_reference():
    uniform = [answer(logp=a.values["logp"], ref_logp=[0.0] * a.length) for a in (CHOSEN, REJECTED)]
    plain = on_pair(configure(CPO, {"nll.weight": 0.0}))
    dpo = on_pair(load("preference/dpo"), *uniform)
    assert plain.metrics["loss"] == pytest.approx(dpo.metrics["loss"], abs=1e-14)
    assert plain.gradient("logp") == dpo.gradient("logp")


def test_the_likelihood_is_of_the_preferred_answer_only():
    worse = [REJECTED, shifted(REJECTED, logp=-1.0)]
    assert len({on_pair(CPO, CHOSEN, r).metrics["loss/nll"] for r in worse}) == 1


def test_no_reference_model_is_loaded():
    assert plan(CPO).loaded == ("policy",)
