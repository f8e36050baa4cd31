"""Scores that do not pay for length."""

from __future__ import annotations


def length_penalty(score: float, tokens: int, *, per_token: float = 0.001, free: int = 0) -> float:
    """Return the score less a price for every token of the answer beyond the free ones.

        r - a max(0, |y| - f)

    Settings:
        per_token: a, price of a token in units of the score; any number, negative rewards length.
        free: f, tokens that cost nothing; 0 or more.
    """
    return score - per_token * max(0, tokens - free)
