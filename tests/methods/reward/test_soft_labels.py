"""Soft labels on a reward model."""

import pytest

from tests.methods.reward.pairs import on, plain


def test_certain_labels_are_bradley_terry_and_uncertain_ones_bound_the_gap():
    assert on("reward/soft_labels", [1.7], agreement=1.0).metrics["loss"] == pytest.approx(plain(1.7), abs=1e-14)
    low, high = (on("reward/soft_labels", [gap], agreement=0.9).gradient("score")[0] for gap in (2.1, 2.3))
    assert low < 0 < high  # the minimum is at log 9 = 2.197
