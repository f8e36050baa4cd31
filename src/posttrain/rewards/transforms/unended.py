"""Scores of answers that were cut at the limit of tokens, before their end."""

from __future__ import annotations


def unended(score: float, ended: bool, *, penalty: float = 1.0, instead: float | None = None) -> float:
    """Return the score, lower where the answer was cut and did not end by itself.

        r - p [cut]

    Settings:
        penalty: p, price of an answer without an end, in units of the score; 0 or more.
        instead: score of every answer that was cut, whatever its own is; any number, null takes p off its own.
    """
    if ended:
        return score
    return score - penalty if instead is None else instead
