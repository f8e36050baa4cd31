"""A problem that can be checked, and the random numbers that generators make it of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from posttrain.seeds import seed_for

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """A question with a right and a wrong answer. `short` asks the same in a few bytes; the answer follows directly."""

    question: str
    short: str
    answer: str
    wrong: str
    columns: Mapping[str, Any] = field(default_factory=dict)


class Draws:
    """Random numbers seeded by `names`, the same on every machine and in every version of Python."""

    def __init__(self, *names: str | int) -> None:
        self.names = names
        self.count = 0

    def integer(self, low: int, high: int) -> int:
        """Draw an integer from `low` to `high`, both included."""
        self.count += 1
        return low + seed_for(*self.names, self.count) % (high - low + 1)

    def choose(self, options: Sequence[T]) -> T:
        """Draw one of the options."""
        return options[self.integer(0, len(options) - 1)]
