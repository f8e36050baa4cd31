"""The one loop of every search over artefacts: propose, evaluate, select.

archive ← given, evaluated;  while the strategy wishes: propose → evaluate → the strategy selects
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from posttrain.errors import ConfigError
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.budget import Budget
from posttrain.search.evolution.candidate import Candidate, Evaluated, Proposed
from posttrain.search.evolution.course import Ask, Course, Match, Strategy
from posttrain.search.evolution.memory import Memory
from posttrain.search.evolution.selection import best

Write = Callable[[Sequence[Ask], Archive], Iterable[Proposed]]
Evaluate = Callable[[Sequence[Candidate]], Iterable[Evaluated]]
Compare = Callable[[Sequence[Match], Archive], Iterable[float | None]]


class Watch:
    """Told how far a search has come. This one says nothing."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Take note that `done` of `total` pieces of a round's work are finished."""

    def round(self, n: int, archive: Archive) -> None:
        """Take note that a round has ended."""


def no_match(matches: Sequence[Match], archive: Archive) -> Iterable[float | None]:
    """Compare nothing: the strategy wants matches, and nobody was named to judge them."""
    del matches, archive
    raise ConfigError("this strategy compares candidates; give the search `compare`")


@dataclass
class Evolution:
    """A search under way: who writes, who evaluates, who compares, what it may spend, and what it remembers.

    Writers and evaluators may answer all that is wanted at once, or yield one result after the other: each is kept as
    soon as it is there. After an interruption they are asked for the rest alone, so what they draw must derive from the
    number of a wish or a candidate and not from its place among those that are asked for.
    """

    write: Write
    evaluate: Evaluate
    compare: Compare = no_match
    budget: Budget = field(default_factory=Budget)
    memory: Memory = field(default_factory=Memory)
    watch: Watch = field(default_factory=Watch)
    archive: Archive = field(default_factory=Archive)
    spent: dict[str, int] = field(default_factory=lambda: {"proposals": 0, "evaluations": 0})

    def run(self, strategy: Strategy, given: Sequence[str] = ()) -> Archive:
        """Evaluate what is given, then follow the strategy until it ends or the budget is spent."""
        self._evaluated([self.archive.add(text) for text in given])
        course: Course = strategy(self.archive)
        answer: Any = None
        while wishes := self._next(course, answer):
            if isinstance(wishes[0], Match):
                answer = self._compared(wishes)
            elif asks := self._affordable(wishes):
                answer = self._children(asks, self.archive.rounds + 1)
            else:
                break
        if not self.archive.survivors:  # the budget is spent, or nothing that works survives
            self.archive.survivors = [c.number for c in best(self.archive.candidates, 1)]
        return self.archive

    def _next(self, course: Course, answer: Any) -> Sequence[Any]:
        """Let the strategy go on, and return what it wants next; nothing at its end.

        A round is over behind its matches: where candidates are wished for, and at the end.
        """
        wishes: Sequence[Any] = ()
        try:
            wishes = course.send(answer)
        except StopIteration as end:
            self.archive.survivors = [c.number for c in end.value]
        if len(self.archive) and not (wishes and isinstance(wishes[0], Match)):
            self.watch.round(self.archive.end_round(), self.archive)
        return wishes

    def _affordable(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        """Return the wishes that the budget still allows."""
        left = [limit - self.spent[name] for name, limit in asdict(self.budget).items() if limit is not None]
        return asks[: max(0, min(left))] if left else asks

    def _children(self, wishes: Sequence[Ask], n: int) -> list[Candidate]:
        asks = [replace(a, number=len(self.archive) + k) for k, a in enumerate(wishes)]
        rows = self._each("proposal", asks, lambda left: map(asdict, self.write(left, self.archive)), _wish)
        self.spent["proposals"] += len(asks)
        children = [
            self.archive.add(**row, parents=a.parents, operator=a.operator, island=a.island, round=n)
            for a, row in zip(asks, rows, strict=True)
        ]
        self._evaluated(children)
        return children

    def _evaluated(self, candidates: Sequence[Candidate]) -> None:
        """Evaluate each text once, and give its evaluation to all that repeat it."""
        new = [c for c in candidates if c.text is not None and c.same_as is None]
        rows = self._each("evaluation", new, lambda left: map(asdict, self.evaluate(left)), lambda c: c.number)
        self.spent["evaluations"] += len(new)
        for c, row in zip(new, rows, strict=True):
            c.fitness, c.report = row["fitness"], row["report"]
        for c in candidates:
            if c.same_as is not None:
                c.fitness, c.report = self.archive[c.same_as].fitness, self.archive[c.same_as].report

    def _compared(self, matches: Sequence[Match]) -> list[float | None]:
        outcomes = self._each(
            "match", matches, lambda left: ({"outcome": x} for x in self.compare(left, self.archive)), _pair
        )
        return [row["outcome"] for row in outcomes]

    def _each(
        self,
        kind: str,
        wanted: Sequence[Any],
        compute: Callable[[Sequence[Any]], Iterable[Mapping[str, Any]]],
        name: Callable[[Any], Any],
    ) -> list[Mapping[str, Any]]:
        def shown(left: Sequence[Any]) -> Iterable[Mapping[str, Any]]:
            for done, result in enumerate(compute(left), len(wanted) - len(left) + 1):
                yield result
                self.watch.phase(f"{kind}s", done, len(wanted))

        return self.memory.each(kind, wanted, shown, name)


def _wish(ask: Ask) -> list[Any]:
    return [ask.operator, list(ask.parents), ask.island]


def _pair(match: Match) -> list[int]:
    return [match.first, match.second]
