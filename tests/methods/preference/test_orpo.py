import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.paper("002:Zephyr 141B-A39B / ORPO")

ORPO = load("preference/orpo")


def test_without_the_odds_it_is_the_likelihood_of_the_preferred_answer():
    one = on_pair(configure(ORPO, {"odds.weight": 0.0}))
    assert one.metrics["loss"] == pytest.approx(2)
    assert one.gradient("logp")[1] == [0.0] * 4


def test_for_improbable_answers_the_odds_are_simpo_with_beta_one():
    """1 - p is 1 there."""
    low = [answer(logp=[x - 15 for x in a.values["logp"]]) for a in (CHOSEN, REJECTED)]
    simpo = configure(load("preference/simpo"), {"beta": 1.0, "margin": 0.0})
    assert on_pair(ORPO, *low).metrics["loss/odds"] == pytest.approx(on_pair(simpo, *low).metrics["loss"], rel=1e-6)


def test_repeating_an_answers_tokens_changes_nothing():
    twice = [answer(logp=a.values["logp"] * 2) for a in (CHOSEN, REJECTED)]
    assert on_pair(ORPO, *twice).metrics["loss"] == pytest.approx(on_pair(ORPO).metrics["loss"], abs=1e-14)


def test_golden_a_certain_answer_has_finite_odds():
    one = on_pair(ORPO, answer(logp=[0.0, 0.0], ref_logp=[0.0, 0.0]), REJECTED)
    assert math.isfinite(one.metrics["loss"])
    assert all(math.isfinite(x) for x in one.gradient("logp")[0])


def test_no_reference_model_is_loaded():
    assert plan(ORPO).loaded == ("policy",)
