import pytest

from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair, on_pairs

APO_DOWN, APO_ZERO = load("preference/apo_down"), load("preference/apo_zero")


def test_golden():
    """σ(0.1) + σ(-0.16)"""
    one = on_pair(APO_DOWN)
    assert one.metrics["loss"] == pytest.approx(0.98506430, abs=1e-8)
    chosen, rejected = 0.5249792 * 0.4750208, 0.5399149 * 0.4600851
    assert one.gradient("logp")[0] == pytest.approx([0.1 * (chosen - rejected)] * 5, rel=1e-4)
    assert one.gradient("logp")[1] == pytest.approx([0.1 * rejected] * 4, rel=1e-6)


def test_it_is_apo_zero_of_the_gap_and_the_preferred_answer():
    assert on_pairs(APO_DOWN, [(1.0, -0.6)]).metrics["loss"] == on_pairs(APO_ZERO, [(1.6, 1.0)]).metrics["loss"]


@pytest.mark.parametrize("ratio", [-3.0, 0.4, 20.0])
def test_beside_an_answer_that_stays_the_preferred_one_may_be_anything(ratio):
    one = on_pairs(APO_DOWN, [(ratio, 0.0)])
    assert one.metrics["loss"] == pytest.approx(1)
    assert one.gradient("logp")[0] == pytest.approx([0], abs=1e-16)


def test_both_answers_fall_and_the_rejected_one_falls_more():
    chosen, rejected = on_pair(APO_DOWN).gradient("logp")
    assert 0 < chosen[0] < rejected[0]
