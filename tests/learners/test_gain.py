"""The gain is that of pairs of the same seed."""

from __future__ import annotations

import pytest

from posttrain.learners.gain import gain


def test_golden():
    """Differences 0.1, 0.2, 0.3: mean 0.2, standard error 0.1 / √3, Student's t of 2 degrees 4.3027."""
    made = gain([0.5, 0.7, 0.9], [0.4, 0.5, 0.6])
    assert made["gain"] == pytest.approx(0.2)
    assert made["gain/low"] == pytest.approx(0.2 - 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert made["gain/high"] == pytest.approx(0.2 + 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert gain([0.5], [0.4]).keys() == {"helped", "alone", "gain"}
    assert (made["helped"], made["alone"]) == (pytest.approx(0.7), pytest.approx(0.5))
