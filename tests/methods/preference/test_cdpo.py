import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import flipped, on_pair

CDPO = load("preference/cdpo")


def test_it_is_dpo_with_smoothing():
    assert on_pair(configure(load("preference/dpo"), {"smoothing": 0.1})).metrics == on_pair(CDPO).metrics
    assert on_pair(configure(CDPO, {"smoothing": 0.0})).metrics == on_pair(load("preference/dpo")).metrics


def test_it_is_the_mean_over_labels_of_which_a_share_is_wrong():
    right, wrong = on_pair(load("preference/dpo")).metrics["loss"], flipped(load("preference/dpo"))
    assert on_pair(CDPO).metrics["loss"] == pytest.approx(0.9 * right + 0.1 * wrong, abs=1e-14)


def test_the_gap_comes_to_rest():
    gap = math.log(9) / 0.1
    for shift, sign in ((-1.0, -1), (0.0, 0), (1.0, 1)):
        certain = answer(logp=[gap + shift], ref_logp=[0.0]), answer(logp=[0.0], ref_logp=[0.0])
        assert on_pair(CDPO, *certain).gradient("logp")[0][0] * sign >= 0
    assert on_pair(CDPO, answer(logp=[gap], ref_logp=[0.0]), answer(logp=[0.0], ref_logp=[0.0])).gradient("logp")[
        0
    ] == pytest.approx([0], abs=1e-15)
