import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

CPL = load("preference/cpl")


def test_golden():
    one = on_pair(CPL)
    assert one.metrics["loss"] == pytest.approx(0.91301525, abs=1e-8)
    wrong = 1 / (1 + math.exp(-0.4))  # S_w = -1, λ S_l = -0.6
    assert one.gradient("logp")[0] == pytest.approx([-0.1 * wrong] * 5)
    assert one.gradient("logp")[1] == pytest.approx([0.05 * wrong] * 4)


def test_golden_with_discounting():
    """-1 - 3/2 - 2/4 - 2.5/8 - 1.5/16 and -3 - 2/2 - 4/4 - 3/8."""
    one = on_pair(configure(CPL, {"gamma": 0.5, "beta": 1.0, "bias": 1.0}))
    assert one.metrics["loss"] == pytest.approx(math.log1p(math.exp(3.40625 - 5.375)))


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
