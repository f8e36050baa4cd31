"""The likelihood of flipped labels."""

import pytest

from tests.methods.reward.pairs import on, plain


def test_without_flips_it_is_bradley_terry():
    assert on("reward/label_noise", [-2.0], {"flips": 0.0}).metrics["loss"] == pytest.approx(plain(-2.0), abs=1e-14)


def test_pairs_that_contradict_the_model_lose_their_gradient():
    near, far = (abs(on("reward/label_noise", [gap]).gradient("score")[0]) for gap in (-1.0, -8.0))
    assert far < 0.01 < near


@pytest.mark.parametrize("gap", [-300.0, 300.0])
def test_it_is_finite_at_extremes(gap):
    assert abs(on("reward/label_noise", [gap]).metrics["loss"]) < 10
