"""What a reward function may say about one answer besides a number: a number for each turn, or for parts of the text.

    return [Turns([0.0, 1.0]), Spans([(0, 12, 0.5), (12, 40, -1.0)]), 0.7, None]

The reward of the answer is the sum. Methods that read `token_reward_NAME` get each number at the token that completes
the turn or span. None abstains.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

LARGEST = 1e18  # of a score; advantages square it in float32


class Turns(tuple[float, ...]):
    """One number for each turn of the model, in order."""

    __slots__ = ()

    def __new__(cls, values: Iterable[Any]) -> Turns:
        """Check that each is a finite number (ValueError)."""
        return super().__new__(cls, [number(x) for x in values])

    @property
    def total(self) -> float:
        """Their sum."""
        return math.fsum(self)


class Spans(tuple[tuple[int, int, float], ...]):
    """Numbers for parts of the text: (start, end, value), characters from start up to end."""

    __slots__ = ()

    def __new__(cls, values: Iterable[Sequence[Any]]) -> Spans:
        """Check that each span has a start before its end, and a finite number (ValueError)."""
        spans = []
        for start, end, value in values:
            if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end):
                raise ValueError(f"a span from {start!r} to {end!r}")
            spans.append((start, end, number(value)))
        return super().__new__(cls, spans)

    @property
    def total(self) -> float:
        """The sum of their values."""
        return math.fsum(value for _, _, value in self)


def number(value: Any) -> float:
    """A score as a float; True and False are 1 and 0. ValueError for what is no finite number of a sane size."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Real | Decimal):
        try:
            score = float(value)
        except (OverflowError, ValueError):  # too large, or a signalling NaN
            score = math.nan
        if abs(score) <= LARGEST:  # which NaN is not
            return score
    raise ValueError(f"{value!r:.80} is no score")


def to_plain(verdict: float | Turns | Spans | None) -> Any:
    """A verdict as JSON has it."""
    if isinstance(verdict, Turns):
        return {"turns": list(verdict)}
    return {"spans": [list(s) for s in verdict]} if isinstance(verdict, Spans) else verdict


def from_plain(value: Mapping[str, Any]) -> Turns | Spans:
    """The inverse of `to_plain` for turns and spans. ValueError for anything else."""
    match value:
        case {"turns": list(values), **rest} if not rest:
            return Turns(values)
        case {"spans": list(values), **rest} if not rest:
            return Spans(values)
    raise ValueError(f"{value!r:.80} is no verdict")
