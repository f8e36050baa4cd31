"""The course of a search: what a strategy wishes for, round by round, and gets.

A strategy is a generator over an archive. It yields what it wants, proposals or comparisons, and gets the candidates,
or the outcomes; it returns those that survive, the best first. So it knows neither who writes nor what is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate


@dataclass(frozen=True)
class Ask:
    """A wish for a new candidate. `operator`: how it is to be made of its parents, a word that the writer knows.

    `number`: of the candidate that it becomes, for seeds to derive from. The driver knows it, strategies leave it out.
    """

    operator: str
    parents: tuple[int, ...] = ()
    island: int = 0
    number: int = -1


@dataclass(frozen=True)
class Match:
    """A wish to know which of two candidates is better, by number. Its outcome: 1 the first, 0 the second, 0.5 neither.

    None where nobody could say; that is not a tie.
    """

    first: int
    second: int


Wishes = Sequence[Ask] | Sequence[Match]
Course = Generator[Wishes, Any, Sequence[Candidate]]


class Strategy:
    """A course with its settings: `Strategy(beam, rounds=5, width=2)`."""

    def __init__(self, course: Callable[..., Course], *, rounds: int, **settings: Any) -> None:
        self.course = course
        self.rounds = rounds
        self.settings = settings

    def __call__(self, archive: Archive) -> Course:
        """Begin to search."""
        return self.course(archive, rounds=self.rounds, **self.settings)
