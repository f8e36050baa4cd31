"""A beam: the best candidates get children, and the best of all stay.

    kept ← the `width` best of kept ∪ children

`width: 1` is elitism with one incumbent, and with one round it is the best of n. The best fitness never falls.
"""

from __future__ import annotations

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Ask, Course
from posttrain.search.evolution.selection import best, distinct


def beam(archive: Archive, *, rounds: int, width: int = 1, branching: int = 4, first: int | None = None) -> Course:
    """Keep the best candidates, round by round.

    The first round asks for children of what is given; where nothing works yet, for candidates without parents.

    Settings:
        rounds: rounds of proposals; at least 1.
        width: candidates that are kept; at least 1.
        branching: children of each that is kept; at least 1.
        first: candidates of a round in which nothing works yet; at least 1, none for width times branching.
    """
    kept = best(distinct(archive.candidates), width)
    for _ in range(rounds):
        alone = [Ask("create")] * (first or width * branching)
        children = yield [Ask("improve", (c.number,)) for c in kept for _ in range(branching)] or alone
        kept = best(distinct([*kept, *children]), width)
    return kept
