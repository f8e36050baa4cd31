import pytest

from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair, on_pairs

APO_DOWN, APO_ZERO = load("preference/apo_down"), load("preference/apo_zero")


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
