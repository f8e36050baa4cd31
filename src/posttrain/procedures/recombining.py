"""The next mean of an evolution strategy, as a model or the canonical rule gives it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from posttrain.learners.speaker import Question, Speaker
from posttrain.procedures.judging import user
from posttrain.procedures.prompting import script_of
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate
from posttrain.search.prompts.discretised import Grid, Solution, Vector, better, history, parsed, request
from posttrain.search.prompts.functions import recombined
from posttrain.training.session import Session


@dataclass(frozen=True)
class Recombination:
    """Who gives the next mean, of what. `asks`: a model; else it is the weighted mean of the last generation."""

    session: Session
    role: str
    grid: Grid
    remember: int
    members: int
    block: int
    asks: bool = True

    @cached_property
    def _script(self) -> Speaker | None:
        return script_of(self.session, self.role)

    def mean(self, archive: Archive, first: Vector) -> Vector:
        """Return the mean of the next generation; the first one at the beginning."""
        rounds = [solutions(archive.round(n)) for n in range(1, archive.rounds + 1)]
        if not rounds:
            return first
        last = rounds[-1]
        if not self.asks:
            return recombined(last)
        shown = history(rounds, self.remember, self.members)
        present = tuple(archive.round(archive.rounds)[0].more["mean"])
        blocks = [slice(i, i + self.block) for i in range(0, len(first), self.block)]
        return tuple(v for k, b in enumerate(blocks) for v in self._block(f"{archive.rounds}-{k}", shown, b, present))

    def _block(self, name: str, shown: Sequence[Solution], block: slice, present: Vector) -> Vector:
        """Return some coordinates of the next mean: as they are where the reply cannot be read."""
        wanted = better(min(f for _, f in shown), max(f for _, f in shown))
        asked = request(shown, self.grid, block, wanted)
        reply = self._reply(f"evollm-{name}", asked, shown, block)
        found = parsed(reply or "", len(present[block]), self.grid)
        return present[block] if found is None else self.grid.numbers(found)

    def _reply(self, name: str, asked: str, shown: Sequence[Solution], block: slice) -> str | None:
        if self._script is None:
            return self.session.ask(name, self.role, [user(asked)])[0][0]
        right, wrong = (self.grid.integers(x[block]) for x in (recombined(shown[-self.members :]), shown[0][0]))
        said = [", ".join(map(str, x)) for x in (right, wrong)]
        return self._script.answer([Question(asked, truth=said[0], wrong=(said[1],))])[0]

    def member(self, mean: Vector, sigma: float, number: int) -> Vector:
        """Draw a member around a mean, by its number and the seed of the run."""
        noise = Random(self.session.seed("evollm", number))  # noqa: S311 (no secret)
        return tuple(m + sigma * noise.gauss(0, 1) for m in mean)


def solutions(candidates: Sequence[Candidate]) -> list[Solution]:
    """Return candidates as vectors with what is to be minimised, those that could be evaluated."""
    return [(tuple(json.loads(c.text or "")), -c.value) for c in candidates if c.works]
