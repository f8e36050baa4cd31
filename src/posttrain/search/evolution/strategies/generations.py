"""Generations: every round draws a population anew; nothing is kept but what the writer learns from the archive."""

from __future__ import annotations

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Ask, Course
from posttrain.search.evolution.selection import best, distinct


def generations(archive: Archive, *, rounds: int, population: int = 8) -> Course:
    """Draw a population in every round.

    Settings:
        rounds: generations; at least 1.
        population: candidates of a generation; at least 1.
    """
    for _ in range(rounds):
        yield [Ask("member")] * population
    return best(distinct(archive.candidates), 1)
