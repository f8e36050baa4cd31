"""Likeness by words: golden numbers."""

from __future__ import annotations

import pytest

from posttrain.learners.words import similarity


def test_golden():
    assert similarity("take the tomato", "Take a tomato!") == pytest.approx(1)
    assert similarity("take the tomato", "cook the tomato") == pytest.approx(0.5)
    assert similarity("take the tomato", "wash the spoon") == 0
    assert similarity("", "wash") == 0
    assert similarity("cook, cook it", "cook") == pytest.approx(2 / 5**0.5)
