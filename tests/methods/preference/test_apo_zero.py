import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

APO = load("preference/apo_zero")


def test_it_is_kto_with_the_reference_point_at_zero():
    rows = also(CHOSEN, label=True), also(REJECTED, label=False)
    nobody = answer(label=True, logp=[-1.0], ref_logp=[-1.0])
    kto = step(load("preference/kto"), *rows, others={"mismatched": [nobody]})
    assert on_pair(APO).metrics["loss"] == pytest.approx(2 * kto.metrics["loss"], abs=1e-14)


def test_exchanging_the_answers_mirrors_the_loss_around_one():
    assert on_pair(APO, REJECTED, CHOSEN).metrics["loss"] == pytest.approx(2 - on_pair(APO).metrics["loss"])
