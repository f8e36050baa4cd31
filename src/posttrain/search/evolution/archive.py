"""The archive of a search: every candidate that was ever proposed, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from statistics import fmean
from typing import Any

from posttrain.search.evolution.candidate import Candidate
from posttrain.search.evolution.selection import best


class Archive:
    """All candidates of a search by number. `survivors`: those that the strategy chose at the end, the best first.

    `ended`: the metrics of each round that is over, None for NaN. Ratings move in later rounds, these do not.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate] = (),
        survivors: Sequence[int] = (),
        ended: Sequence[Mapping[str, float | None]] = (),
    ) -> None:
        self.candidates = list(candidates)
        self.survivors = list(survivors)
        self.ended = list(ended)

    def __len__(self) -> int:
        return len(self.candidates)

    def __getitem__(self, number: int) -> Candidate:
        return self.candidates[number]

    def add(self, text: str | None, **about: Any) -> Candidate:
        """Add a candidate at the end."""
        same = None if text is None else next((c.number for c in self.candidates if c.text == text), None)
        self.candidates.append(Candidate(len(self), text, same_as=same, **about))
        return self.candidates[-1]

    def of(self, numbers: Sequence[int]) -> list[Candidate]:
        """Return candidates by their numbers."""
        return [self.candidates[n] for n in numbers]

    def round(self, n: int) -> list[Candidate]:
        """Return the candidates that were proposed in a round; round 0 are those that were given."""
        return [c for c in self.candidates if c.round == n]

    @property
    def rounds(self) -> int:
        """The number of the last round."""
        return max((c.round for c in self.candidates), default=0)

    @property
    def best(self) -> Candidate | None:
        """The best candidate of all rounds, the earlier one of equals; None where nothing works."""
        return next(iter(best(self.candidates, 1)), None)

    def end_round(self) -> int:
        """Take down the metrics of the last round, and return its number."""
        n = self.rounds
        self.ended.append({"round": n, **{k: None if isnan(x) else x for k, x in self._brought(n).items()}})
        return n

    def metrics(self, n: int) -> dict[str, float]:
        """Return what a round brought and the best fitness up to its end, as it was then. NaN where nothing works."""
        for row in self.ended:
            if row["round"] == n:
                return {k: nan if x is None else x for k, x in row.items() if k != "round"}
        return self._brought(n)

    def _brought(self, n: int) -> dict[str, float]:
        own, until = self.round(n), [c for c in self.candidates if c.round <= n]
        fit = [c.fitness for c in own if c.fitness is not None]
        return {
            "fitness/best": max((c.fitness for c in until if c.fitness is not None), default=nan),
            "fitness/round_best": max(fit, default=nan),
            "fitness/round_mean": fmean(fit) if fit else nan,
            "proposals": len(own),
            "proposals/unreadable": sum(c.text is None for c in own),
            "proposals/repeated": sum(c.same_as is not None for c in own),
            "proposals/failed": sum(c.text is not None and not c.works for c in own),
        }

    def history(self) -> list[float]:
        """Return the best fitness up to the end of each round."""
        return [self.metrics(n)["fitness/best"] for n in range(self.rounds + 1) if self.round(n)]

    def state(self) -> list[dict[str, Any]]:
        """Return everything as rows of plain data: the candidates, then the survivors and the rounds."""
        return [*(c.state() for c in self.candidates), {"survivors": self.survivors, "ended": self.ended}]

    @classmethod
    def restored(cls, rows: Sequence[Mapping[str, Any]]) -> Archive:
        """Rebuild it from its `state`, also where that has been JSON."""
        *candidates, last = rows
        return cls([Candidate.restored(c) for c in candidates], last["survivors"], last["ended"])
