"""A problem that can be checked, and where the generators get their numbers from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from posttrain.seeds import seed_for

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """A question with a right and a wrong answer. `short` asks the same in a few bytes, right before the answer."""

    question: str
    short: str
    answer: str
    wrong: str
    columns: Mapping[str, Any] = field(default_factory=dict)


class Draws:
    """Numbers that follow from names, the same on every machine and in every version of Python."""

    def __init__(self, *names: str | int) -> None:
        self.names, self.count = names, 0

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        self.count += 1
        return low + seed_for(*self.names, self.count) % (high - low + 1)

    def choose(self, options: Sequence[T]) -> T:
        return options[self.whole(0, len(options) - 1)]
