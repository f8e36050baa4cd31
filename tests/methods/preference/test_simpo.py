import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import mean_log_ratio
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

SIMPO = load("preference/simpo")


def test_gamma_is_absolute_not_a_share_of_beta():
    assert on_pair(configure(SIMPO, {"margin": 2.0})).metrics["loss"] == pytest.approx(0.69314718, abs=1e-8)


def test_without_a_margin_it_is_dpo_of_the_mean_against_a_uniform_reference():
    averaged = variant(load("preference/dpo"), loss=Term(pairwise(logistic, mean_log_ratio, beta=2.0)))
    uniform = [answer(logp=a.values["logp"], ref_logp=[0.0] * a.length) for a in (CHOSEN, REJECTED)]
    plain = on_pair(configure(SIMPO, {"margin": 0.0})).metrics["loss"]
    assert plain == pytest.approx(on_pair(averaged, *uniform).metrics["loss"], abs=1e-14)


def test_repeating_an_answers_tokens_changes_nothing():
    once = [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]
    twice = [answer(logp=a.values["logp"] * 2) for a in once]
    assert on_pair(SIMPO, *twice).metrics["loss"] == pytest.approx(on_pair(SIMPO, *once).metrics["loss"], abs=1e-14)


def test_no_reference_model_is_loaded():
    from posttrain.core.plan import plan

    assert plan(SIMPO).loaded == ("policy",)
