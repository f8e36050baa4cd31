"""How a curve has moved: its beginning against its end, and whether the difference is more than noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

Curves = Mapping[str, tuple[Sequence[int], Sequence[float]]]  # steps and values by metric
LEAST = 20  # steps below which nothing is said about a trend
CLEAR = 4.0  # standard errors from which a difference is no noise


@dataclass(frozen=True)
class Trend:
    """Means of the first, the middle and the last fifth of a curve. `error`: standard error of last - first."""

    first: float
    middle: float
    last: float
    error: float
    since: int  # step at which the last fifth begins

    @property
    def change(self) -> float:
        """The last fifth less the first one."""
        return self.last - self.first

    @property
    def clear(self) -> bool:
        """Whether the change is larger than the noise allows."""
        return abs(self.change) > CLEAR * self.error

    def rises(self) -> bool:
        """Whether the curve clearly rises."""
        return self.clear and self.change > 0

    def falls(self) -> bool:
        """Whether the curve clearly falls."""
        return self.clear and self.change < 0


def trend(curves: Curves, name: str) -> Trend | None:
    """Return the trend of a metric; None if the run has too few steps of it."""
    steps, values = curves.get(name, ((), ()))
    if len(values) < LEAST:
        return None
    fifth = len(values) // 5
    middle = (len(values) - fifth) // 2
    first, last = values[:fifth], values[-fifth:]
    error = math.sqrt((variance(first) + variance(last)) / fifth)
    return Trend(fmean(first), fmean(values[middle : middle + fifth]), fmean(last), error, steps[-fifth])


def variance(values: Sequence[float]) -> float:
    """Return the variance of a sample; that of `statistics` is exact and a hundred times as slow."""
    mean = fmean(values)
    return math.fsum((x - mean) ** 2 for x in values) / (len(values) - 1)


def first_step(curves: Curves, name: str, above: float) -> int | None:
    """Return the first step from which a metric stays above a value."""
    found = None
    for step, value in zip(*curves[name], strict=True):
        found = None if value <= above else step if found is None else found
    return found
