"""Refinement: one candidate is written, evaluated and rewritten, over and over.

A child is made of the newest candidate, also where that does not work: its error is what the next prompt is about.
"""

from __future__ import annotations

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Ask, Course
from posttrain.search.evolution.selection import best


def refine(archive: Archive, *, rounds: int, repairs: int = 0) -> Course:
    """Rewrite the newest candidate. What comes out is the best of all.

    Settings:
        rounds: candidates that work, at most; at least 1.
        repairs: rewrites in a row of candidates that do not work; at least 0.
    """
    newest = archive[len(archive) - 1] if len(archive) else None
    for _ in range(rounds):
        operator = "create" if newest is None else "improve" if newest.works else "repair"
        for _ in range(repairs + 1):
            parents = () if newest is None else (newest.number,)
            (newest,) = yield [Ask(operator, parents)]
            if newest.works:
                break
            operator = "repair"
    return best(archive.candidates, 1)
