import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.paper("hejna2023vyy")

CPL = load("preference/cpl")


def test_without_bias_it_is_cpo_without_its_likelihood():
    plain = on_pair(configure(CPL, {"bias": 1.0}))
    cpo = on_pair(configure(load("preference/cpo"), {"nll.weight": 0.0}))
    assert plain.metrics["loss"] == pytest.approx(cpo.metrics["loss"], abs=1e-14)


def test_the_bias_likes_both_answers_to_be_likely():
    """The same gap, with both answers less likely: only with λ < 1 it costs."""
    less = [answer(logp=[*a.values["logp"], -5.0]) for a in (CHOSEN, REJECTED)]
    none = configure(CPL, {"bias": 1.0})
    bare = [answer(logp=a.values["logp"]) for a in (CHOSEN, REJECTED)]
    assert on_pair(none, *less).metrics["loss"] == pytest.approx(on_pair(none, *bare).metrics["loss"])
    assert on_pair(CPL, *less).metrics["loss"] > on_pair(CPL, *bare).metrics["loss"] + 0.1
