"""Scores in other units: the z-score of a fixed calibration set, or a change of sign."""

from __future__ import annotations


def scale(score: float, *, subtract: float = 0.0, divide: float = 1.0) -> float:
    """Return the score in other units.

        (r - μ) / s

    Settings:
        subtract: μ, score that becomes 0, such as the mean on a calibration set; any number.
        divide: s, such as the standard deviation there; any number but 0, negative turns the order around.
    """
    return (score - subtract) / divide
