import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

APO = load("preference/apo_zero")


def test_golden():
    one = on_pair(APO)
    assert one.metrics["loss"] == pytest.approx(0.96002531, abs=1e-8)
    assert one.gradient("logp")[0] == pytest.approx([-0.1 * 0.5249792 * 0.4750208] * 5, rel=1e-6)
    assert one.gradient("logp")[1] == pytest.approx([0.1 * 0.4850045 * 0.5149955] * 4, rel=1e-6)


def test_it_is_kto_with_the_reference_point_at_zero():
    rows = also(CHOSEN, label=True), also(REJECTED, label=False)
    nobody = answer(label=True, logp=[-1.0], ref_logp=[-1.0])
    kto = step(load("preference/kto"), *rows, others={"mismatched": [nobody]})
    assert on_pair(APO).metrics["loss"] == pytest.approx(2 * kto.metrics["loss"], abs=1e-14)


def test_exchanging_the_answers_mirrors_the_loss_around_one():
    assert on_pair(APO, REJECTED, CHOSEN).metrics["loss"] == pytest.approx(2 - on_pair(APO).metrics["loss"])
