import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import flipped, on_pair

ROBUST, DPO = load("preference/robust_dpo"), load("preference/dpo")


@pytest.mark.parametrize("share", [0.05, 0.1, 0.4])
def test_its_mean_over_flipped_labels_is_the_clean_loss(share):
    robust = configure(ROBUST, {"smoothing": share})
    mean = (1 - share) * on_pair(robust).metrics["loss"] + share * flipped(robust)
    assert mean == pytest.approx(on_pair(DPO).metrics["loss"], abs=1e-13)


def test_without_wrong_labels_it_is_dpo():
    assert on_pair(configure(ROBUST, {"smoothing": 0.0})).metrics == on_pair(DPO).metrics


def test_it_has_no_lowest_point():
    far = answer(logp=[0.0], ref_logp=[-1e4]), answer(logp=[-1e4], ref_logp=[0.0])
    assert on_pair(ROBUST, *far).metrics["loss"] == pytest.approx(-2000 * 0.1 / 0.8)
