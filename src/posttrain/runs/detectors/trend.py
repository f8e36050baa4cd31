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
    """Means of the five fifths of a curve. `error`: standard error of the difference of two fifths."""

    fifths: tuple[float, ...]
    error: float
    since: int  # step at which the last fifth begins

    @property
    def first(self) -> float:
        """The mean of the first fifth."""
        return self.fifths[0]

    @property
    def middle(self) -> float:
        """The mean of the third fifth."""
        return self.fifths[2]

    @property
    def last(self) -> float:
        """The mean of the last fifth."""
        return self.fifths[4]

    @property
    def change(self) -> float:
        """The last fifth less the first one."""
        return self.last - self.first

    @property
    def best(self) -> int:
        """Which fifth has the highest mean: 0 to 4."""
        return max(range(5), key=self.fifths.__getitem__)

    @property
    def drop(self) -> float:
        """How far the last fifth lies below the best one, in standard errors; 0 where it is the best one."""
        fall = self.fifths[self.best] - self.last
        return fall / self.error if self.error else math.inf * fall if fall else 0.0

    def rises(self) -> bool:
        """Whether the curve clearly rises."""
        return self.change > CLEAR * self.error

    def falls(self) -> bool:
        """Whether the curve clearly falls."""
        return -self.change > CLEAR * self.error


def trend(curves: Curves, name: str) -> Trend | None:
    """Return the trend of a metric; None if the run has too few steps of it."""
    steps, values = curves.get(name, ((), ()))
    if len(values) < LEAST:
        return None
    count = len(values)
    parts = [values[count * n // 5 : count * (n + 1) // 5] for n in range(5)]
    error = math.sqrt(variance(parts[0]) / len(parts[0]) + variance(parts[4]) / len(parts[4]))
    return Trend(tuple(map(fmean, parts)), error, steps[count * 4 // 5])


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
