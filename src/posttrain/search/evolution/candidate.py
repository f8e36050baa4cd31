"""An artefact that was proposed, where it came from, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

GIVEN = "given"  # the operator of those that the search begins with


@dataclass(frozen=True)
class Proposed:
    """What a writer made of a wish: a text, or None with the reason why there is none. `asked`: the prompt."""

    text: str | None
    asked: str = ""
    problem: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)  # plain data that the next prompts may need


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation says: a fitness, larger is better, or None where there is none. It is never a stand-in.

    `report`: plain data that the next prompts may need, such as statistics or the error of a program.
    """

    fitness: float | None
    report: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fitness is not None and not isfinite(self.fitness):
            raise ValueError(f"a fitness is a finite number, or None where there is none; this one is {self.fitness}")


@dataclass
class Candidate:
    """One of an archive. `number` is its place there, `parents` are numbers; only `fitness` ever changes."""

    number: int
    text: str | None
    parents: tuple[int, ...] = ()
    operator: str = GIVEN
    island: int = 0
    round: int = 0  # 0 for those that the search begins with
    asked: str = ""
    problem: str = ""  # why it has no text
    more: Mapping[str, Any] = field(default_factory=dict)
    same_as: int | None = None  # an earlier one with the same text, whose evaluation it shares
    fitness: float | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether it could be evaluated; only those can be selected."""
        return self.fitness is not None

    @property
    def value(self) -> float:
        """Its fitness; minus infinity where it has none."""
        return float("-inf") if self.fitness is None else self.fitness

    def state(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "parents": list(self.parents)}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Candidate:
        """Rebuild it from its `state`, also where that has been JSON."""
        return cls(**{**state, "parents": tuple(state["parents"])})
