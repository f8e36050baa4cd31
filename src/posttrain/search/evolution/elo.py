"""Elo ratings from matches: who beats a strong candidate rises much, and what one wins the other loses.

E = 1 / (1 + 10^((R_b - R_a) / 400));    R_a ← R_a + K (S - E),  R_b ← R_b - K (S - E),    S = 1, 0.5 or 0
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Match

START, SCALE = 1500.0, 400.0


def expected(one: float, other: float) -> float:
    """Return the share of matches that a rating is expected to win against another."""
    return 1 / (1 + 10 ** ((other - one) / SCALE))


def rate(archive: Archive, matches: Sequence[Match], outcomes: Sequence[float | None], k: float = 32.0) -> None:
    """Move the ratings of candidates, which are their fitness, match by match. One without an outcome moves nothing.

    A candidate that repeats a text has the rating of the first one with that text.
    """
    for match, outcome in zip(matches, outcomes, strict=True):
        one, other = archive[match.first], archive[match.second]
        if outcome is None or one.fitness is None or other.fitness is None:
            continue
        gain = k * (outcome - expected(one.fitness, other.fitness))
        one.fitness, other.fitness = one.fitness + gain, other.fitness - gain
    for c in archive.candidates:
        if c.same_as is not None:
            c.fitness = archive[c.same_as].fitness
