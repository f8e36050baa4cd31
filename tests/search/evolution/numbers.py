"""A search without models: artefacts are numbers in words of digits, and the fitness of a number is itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated, Proposed
from posttrain.search.evolution.course import Ask, Match, Strategy
from posttrain.search.evolution.driver import Evolution
from posttrain.search.evolution.strategies.beam import beam
from tests.harness.runs import Interrupt

CLIMB = Strategy(beam, rounds=3, width=2, branching=2)


class Numbers:
    """Writes a number that is larger than its parents by 1, 2, ...; 7 cannot be read, and 5 not be evaluated."""

    def __init__(self, cut: int | None = None) -> None:
        self.calls: list[Any] = []
        self.cut = cut  # the call that a power cut falls into

    def _called(self, what: Any) -> None:
        if len(self.calls) == self.cut:
            raise Interrupt
        self.calls.append(what)

    def write(self, asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        for ask in asks:
            self._called(("write", ask))
            number = sum(int(archive[p].text or 0) for p in ask.parents) + 1 + ask.number % 3
            text = None if number == 7 else str(number)
            yield Proposed(text, f"more than {ask.parents}?", "" if text else "seven", {"n": ask.number})

    def evaluate(self, candidates: Sequence[Candidate]) -> Iterator[Evaluated]:
        for c in candidates:
            self._called(("evaluate", c.text))
            yield Evaluated(None if c.text == "5" else float(c.text or 0), {"digits": [c.text]})

    def compare(self, matches: Sequence[Match], archive: Archive) -> Iterator[float | None]:
        for m in matches:
            self._called(("compare", m))
            a, b = archive[m.first], archive[m.second]
            yield None if 5.0 in (a.value, b.value) else 0.5 * (1 + (a.value > b.value) - (a.value < b.value))

    def search(self, strategy: Strategy = CLIMB, given: Sequence[str] = ("1",), **how: Any) -> Archive:
        return Evolution(self.write, self.evaluate, self.compare, **how).run(strategy, given)
