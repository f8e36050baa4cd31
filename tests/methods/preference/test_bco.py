import math

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

BCO = load("preference/bco")


def loss(chosen, rejected, shift):
    return math.log1p(math.exp(-0.1 * (chosen - shift))) + math.log1p(math.exp(0.1 * (rejected - shift)))


def on(mean):
    return step(BCO, CHOSEN, REJECTED, pairs=[(0, 1)], states={"shift": {"mean": mean}})


def test_golden():
    one = on(-0.2 / 9)  # 0.9 (-0.2/9) + 0.1 · 0.2 = 0
    assert one.metrics["loss"] == pytest.approx(1.30799377, abs=1e-8)
    assert one.states["shift"]["mean"] == pytest.approx(0, abs=1e-15)


def test_golden_with_a_shift():
    one = on(3.0)
    assert one.states["shift"]["mean"] == pytest.approx(2.72)
    assert one.metrics["loss"] == pytest.approx(loss(1.0, -0.6, 2.72))
    assert one.gradient("logp")[0] == pytest.approx([-0.1 / (1 + math.exp(-0.172))] * 5)
    assert one.gradient("logp")[1] == pytest.approx([0.1 / (1 + math.exp(0.332))] * 4)


def test_golden_of_the_first_step():
    assert on_pair(BCO).metrics["loss"] == pytest.approx(loss(1.0, -0.6, 0.2))


def test_a_constant_on_all_log_ratios_moves_only_the_threshold():
    both = (CHOSEN, REJECTED)
    longer = [answer(logp=[-1.0, *a.values["logp"]], ref_logp=[-4.0, *a.values["ref_logp"]]) for a in both]
    assert on_pair(BCO, *longer).metrics["loss"] == pytest.approx(on_pair(BCO).metrics["loss"])


def test_around_the_middle_it_is_twice_dpo_at_half_the_beta():
    assert on_pair(BCO).metrics["loss"] == pytest.approx(2 * math.log1p(math.exp(-0.1 * 0.8)))
