"""What a reward model says of pairs whose better answer is known, and of several answers that are right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class JudgedPair:
    """A pair with the scores of both answers. `lengths`: words of the preferred answer and of the other.

    `columns`: what else the row says, such as `subset`, `source`, or the models that wrote the answers.
    """

    chosen: float
    rejected: float
    lengths: tuple[int, int] = (0, 0)
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def margin(self) -> float:
        """The score of the preferred answer less that of the other."""
        return self.chosen - self.rejected

    @property
    def right(self) -> float:
        """1 where the preferred answer has the higher score, 0 where the other has it, one half for a tie."""
        return 0.5 if self.margin == 0 else float(self.margin > 0)

    @property
    def longer_by(self) -> int:
        """Words that the preferred answer has more than the other."""
        return self.lengths[0] - self.lengths[1]


@dataclass(frozen=True)
class JudgedCandidates:
    """Several answers to one prompt, with the score of each, and whether it is right."""

    scores: tuple[float, ...]
    correct: tuple[bool, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> dict[str, list[T]]:
    """Divide items by a key, in the order in which the keys first appear. Items whose key is None are left out."""
    groups: dict[str, list[T]] = {}
    for item in items:
        if (name := key(item)) is not None:
            groups.setdefault(str(name), []).append(item)
    return groups


def by_column(items: Sequence[T], column: str) -> dict[str, list[T]]:
    """Divide judged pairs or candidates by a column of their rows."""
    return grouped(items, lambda item: item.columns.get(column))  # type: ignore[attr-defined]
