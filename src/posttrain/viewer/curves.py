"""Curves of a metric over a run, drawn with block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = " ▁▂▃▄▅▆▇█"
CAPACITY = 1024  # most points of a curve; a longer one is halved by averaging neighbours


class Curve:
    """A curve of any length in bounded memory: each point is the mean of `stride` values."""

    def __init__(self) -> None:
        self.points: list[float] = []
        self.stride = 1
        self.first = math.nan
        self.last = math.nan
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Append a value; non-finite values are ignored."""
        if not math.isfinite(value):
            return
        if math.isnan(self.first):
            self.first = value
        self.last = value
        self._sum, self._count = self._sum + value, self._count + 1
        if self._count == self.stride:
            self.points.append(self._sum / self._count)
            self._sum, self._count = 0.0, 0
        if len(self.points) == CAPACITY:
            self.points = [(a + b) / 2 for a, b in zip(self.points[::2], self.points[1::2], strict=True)]
            self.stride *= 2

    def columns(self, width: int) -> list[float]:
        """Return the whole curve as `width` numbers: means if it has more points, else interpolated linearly."""
        points = self.points
        if width < 1:
            return []
        if len(points) < 2:
            return points * width
        if len(points) > width:
            cuts = [len(points) * i // width for i in range(width + 1)]
            return [sum(points[a:b]) / (b - a) for a, b in pairwise(cuts)]
        places = [i * (len(points) - 1) / max(width - 1, 1) for i in range(width)]
        return [interpolated(points, place) for place in places]


def interpolated(points: Sequence[float], place: float) -> float:
    """Return the value at a fractional index, interpolated linearly."""
    i = min(int(place), len(points) - 2)
    return points[i] + (points[i + 1] - points[i]) * (place - i)


def levels(values: Sequence[float], highest: int) -> list[int]:
    """Return each value as a height from 1 to `highest`, in eighths of a line; a constant curve is half as high."""
    if not values:
        return []
    low, high = min(values), max(values)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        return [highest // 2] * len(values)
    return [1 + round((value - low) / (high - low) * (highest - 1)) for value in values]


def sparkline(values: Sequence[float]) -> str:
    """Return a curve as one line, `▁▂▄▆▇`; its top leaves an eighth of the line free, below the line above."""
    return "".join(BLOCKS[level] for level in levels(values, 7))


def area(values: Sequence[float], height: int) -> list[str]:
    """Return a curve as `height` lines, the top line first, filled below the curve."""
    tops = levels(values, 8 * height)
    return ["".join(BLOCKS[min(max(top - 8 * row, 0), 8)] for top in tops) for row in reversed(range(height))]
