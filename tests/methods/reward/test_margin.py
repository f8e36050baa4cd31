"""Margins on a reward model."""

import pytest

from tests.methods.reward.pairs import on, plain


def test_a_margin_is_a_gap_that_does_not_count():
    assert on("reward/margin", [1.7], margin=0.0).metrics["loss"] == pytest.approx(plain(1.7), abs=1e-14)
    assert on("reward/margin", [1.7], margin=0.5).metrics["loss"] == pytest.approx(plain(1.2), abs=1e-14)
    assert on("reward/margin", [1.7], margin=0.5).gradient("score")[0] == pytest.approx(
        on("reward/bradley_terry", [1.2]).gradient("score")[0], abs=1e-14
    )
