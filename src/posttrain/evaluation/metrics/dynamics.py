"""Understanding the Learning Dynamics of Alignment with Human Feedback (Im and Li, 2024).

Behaviours that are told apart more easily are learned first. From the accuracy on each behaviour during the training:

    half way = the first step at which the accuracy has made half of its whole change
    gain     = its last accuracy - its first

In a run file, `evaluate: {suites: [{path: multiple_choice, data: PAIRS, group: behaviour}], every: N}` measures them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Curve = Sequence[tuple[int, float]]  # (step, number)
GROUPED = re.compile(r"eval/(.+)\[([^=\[\]]+)=(.*)\]")


@dataclass(frozen=True)
class Learned:
    """How one behaviour was learned: its first and last number, and the step at which half of the change was made."""

    behaviour: str
    first: float
    last: float
    half_way: int

    @property
    def gain(self) -> float:
        """The last number less the first."""
        return self.last - self.first

    def __str__(self) -> str:
        return f"{self.behaviour}: {self.first:.4g} to {self.last:.4g}, half way at step {self.half_way}"


def learned(curves: Mapping[str, Curve]) -> list[Learned]:
    """Return all behaviours, those that were half way first at the top; of equals the one that gained more."""
    found = [_learned(name, sorted(curve)) for name, curve in curves.items() if curve]
    return sorted(found, key=lambda x: (x.half_way, -abs(x.gain), x.behaviour))


def _learned(name: str, curve: Curve) -> Learned:
    first, last = curve[0][1], curve[-1][1]
    half = (last - first) / 2
    return Learned(name, first, last, next(s for s, x in curve if (x - first) * (1 if half >= 0 else -1) >= abs(half)))


def curves_of(rows: Iterable[Mapping[str, float]]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Return the curves of every grouped metric in rows of metrics.jsonl: {metric by column: {value: curve}}."""
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for row in rows:
        for name, x in row.items():
            if (match := GROUPED.fullmatch(name)) is not None:
                metric, column, value = match.groups()
                found.setdefault(f"{metric} by {column}", {}).setdefault(value, []).append((int(row["step"]), x))
    return found
