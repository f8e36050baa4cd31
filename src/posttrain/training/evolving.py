"""Searches over artefacts in a run: kept proposal by proposal, shown round by round, and counted as steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.machine.kill_points import maybe_kill
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.budget import Budget
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Compare, Evaluate, Evolution, Watch, Write, no_match
from posttrain.search.evolution.memory import Memory
from posttrain.training.run import Run

SEARCH = "search"


def evolved(
    run: Run,
    name: str,
    strategy: Strategy,
    write: Write,
    evaluate: Evaluate,
    *,
    compare: Compare = no_match,
    given: Sequence[str] = (),
    budget: Budget | None = None,
) -> Archive:
    """Search, and keep the archive under a name. An earlier attempt that was interrupted is not repeated.

    What is written and evaluated must not change the models of the run.
    """
    shown = Rounds(run)

    def compute() -> list[Any]:
        pieces = run.journal.pieces(f"rounds/{name}")

        def keep(row: Mapping[str, Any]) -> None:
            pieces.add(row)
            maybe_kill("search")

        run.display.start(SEARCH, strategy.rounds)
        search = Evolution(write, evaluate, compare, budget or Budget(), Memory(list(pieces.known), keep), shown)
        return search.run(strategy, given).state()

    archive = Archive.restored(run.journal.once(f"rounds/{name}", compute))
    shown.catch_up(archive)
    best = archive.best
    found = "nothing that works" if best is None else f"the best, number {best.number}, has fitness {best.value:.4g}"
    run.display.note(f"{name}: {len(archive)} candidates in {archive.rounds} rounds; {found}")
    return archive


class Rounds(Watch):
    """Shows the rounds of a search and writes their metrics, a step of the run each."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.done = 0

    def phase(self, name: str, done: int, total: int) -> None:
        self.run.display.phase(name, done, total)

    def round(self, n: int, archive: Archive) -> None:
        """Count the round, and write its metrics unless they lie before the checkpoint that a run goes back to."""
        metrics, journal = archive.metrics(n), self.run.journal
        self.done = n
        if n == 0:
            return
        journal.steps += 1
        if journal.saved is None:
            journal.write_metrics(metrics)
            self.run.display.step(n, metrics)

    def catch_up(self, archive: Archive) -> None:
        """Count the rounds of an archive that an earlier attempt has finished."""
        for n in range(self.done + 1, archive.rounds + 1):
            self.round(n, archive)
