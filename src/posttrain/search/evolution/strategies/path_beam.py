"""A beam over paths: every round is another test, so that only children go on, and they are worth their whole path.

    kept ← the `width` best children by the mean fitness along their path;    with width 1, by their own fitness

Where a candidate is good enough nothing is changed, and it takes the next test as it is.
"""

from __future__ import annotations

from math import inf
from statistics import fmean

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate
from posttrain.search.evolution.course import Ask, Course
from posttrain.search.evolution.selection import distinct, working


def path_beam(
    archive: Archive, *, rounds: int, width: int = 2, branching: int = 3, enough: float = inf, extra: int = 0
) -> Course:
    """Keep the candidates with the best paths, round by round.

    Settings:
        rounds: rounds of proposals; at least 1.
        width: candidates that are kept; at least 1.
        branching: children of each that is kept; at least 1.
        enough: fitness above which a candidate is kept as it is; any, infinity changes all of them.
        extra: rounds more at most, one for each in which nothing was changed; 0 or more.
    """
    kept, n, unchanged = _best(archive, archive.candidates, width), 0, 0
    while n < rounds + min(unchanged, extra) and kept:
        asks = [
            Ask("keep" if c.value > enough else "improve", (c.number,))
            for c in kept
            for _ in range(1 if c.value > enough else branching)
        ]
        children = yield asks
        unchanged += all(a.operator == "keep" for a in asks)
        kept = _best(archive, children, width) or kept
        n += 1
    return kept


def path_value(archive: Archive, c: Candidate) -> float:
    """Return the mean fitness along the path to a candidate, of those that have one."""
    values = [c.value] if c.works else []
    while c.parents:
        c = archive[c.parents[0]]
        values += [c.value] if c.works else []
    return fmean(values) if values else -inf


def _best(archive: Archive, candidates: list[Candidate], width: int) -> list[Candidate]:
    worth = {c.number: path_value(archive, c) if width > 1 else c.value for c in distinct(working(candidates))}
    ranked = sorted(worth, key=lambda number: (-worth[number], number))
    return archive.of(ranked[:width])
