"""Comparisons by annotators of different reliability."""

from __future__ import annotations

import pytest

from tests.methods.reward.pairs import on, plain


def crowd(gap, reliability):
    return on("reward/crowd_bt", [gap], reliability=reliability)


def test_who_is_always_right_is_bradley_terry():
    for gap in (-2.0, 0.5):
        assert crowd(gap, 1.0).metrics["loss"] == pytest.approx(plain(gap))
        assert crowd(gap, 0.0).metrics["loss"] == pytest.approx(plain(-gap))


def test_the_same_reliability_for_all_is_label_noise():
    noise = on("reward/label_noise", [0.7, -1.0], {"flips": 0.2}).metrics["loss"]
    assert on("reward/crowd_bt", [0.7, -1.0], reliability=0.8).metrics["loss"] == pytest.approx(noise)


def test_who_guesses_teaches_nothing_and_who_is_contrary_the_opposite():
    assert crowd(1.0, 0.5).gradient("score") == pytest.approx([0.0, 0.0], abs=1e-12)
    assert crowd(1.0, 0.7).gradient("score")[0] < 0 < crowd(1.0, 0.3).gradient("score")[0]


@pytest.mark.parametrize("gap", [300.0, -300.0])
@pytest.mark.parametrize("reliability", [0.0, 0.5, 1.0])
def test_it_is_finite_at_extremes(gap, reliability):
    one = crowd(gap, reliability)
    assert 0 <= one.metrics["loss"] <= 301
    assert all(abs(g) <= 1 for g in one.gradient("score"))
