"""Metrics as columns: parsed once, continued where a file has grown, thinned for the screen."""

from __future__ import annotations

import json
import math
import os
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

KEPT = 64_000_000  # bytes of columns in memory
POINTS = 1000  # most points of a curve on a screen
Curve = tuple[list[int], list[float]]


@dataclass
class Columns:
    """The numbers of one metrics.jsonl: the step of each row, and each metric's value in each row, nan without one."""

    file: tuple[int, int] = (0, 0)  # inode and time of what was read
    end: int = 0  # bytes that were read: whole lines
    steps: array[int] = field(default_factory=lambda: array("q"))
    metrics: dict[str, array[float]] = field(default_factory=dict)
    damaged: int = 0  # lines that are no row

    @property
    def last(self) -> int:
        """The newest step."""
        return self.steps[-1] if self.steps else 0

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return 8 * len(self.steps) * (1 + len(self.metrics))

    def add(self, lines: bytes) -> None:
        """Append the rows of whole lines. A damaged one is counted and left out."""
        for names, rows in groupby(self._rows(lines), key=tuple):
            self._extend(names, list(rows))
        self.end += len(lines)

    def _rows(self, lines: bytes) -> list[dict[str, Any]]:
        try:
            found = json.loads(b"[" + lines.strip().replace(b"\n", b",") + b"]")
        except ValueError:  # some line is damaged: the others are read one by one
            found = [parsed(line) for line in lines.splitlines()]
        rows = [row for row in found if isinstance(row, dict) and isinstance(row.get("step"), int)]
        self.damaged += len(found) - len(rows)
        return rows

    def _extend(self, names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        """Append rows that have the same metrics, a column at a time."""
        known = len(self.steps)
        for name, column in zip(names, zip(*(row.values() for row in rows), strict=True), strict=True):
            if name == "step":
                self.steps.extend(column)
                continue
            try:
                values = array("d", column)
            except (TypeError, OverflowError):
                values = array("d", map(as_number, column))
            own = self.metrics.setdefault(name, array("d"))
            own.extend([math.nan] * (known - len(own)))
            own.extend(values)

    def raw(self, name: str) -> tuple[Sequence[int], Sequence[float]]:
        """Return the steps that have a metric, and its values."""
        values = self.metrics.get(name, array("d"))
        if len(values) == len(self.steps) and math.isfinite(sum(values)):
            return self.steps, values
        pairs = [(step, x) for step, x in zip(self.steps, values, strict=False) if math.isfinite(x)]
        return [step for step, _ in pairs], [x for _, x in pairs]

    def names(self) -> list[str]:
        """Return the metrics that have a value somewhere."""
        return [name for name, values in self.metrics.items() if any(map(math.isfinite, values))]

    def curve(self, name: str, smooth: float = 0.0, points: int = POINTS) -> Curve:
        """Return steps and values of a metric, smoothed over all its steps and then thinned."""
        steps, values = self.raw(name)
        return thinned(steps, smoothed(values, smooth) if smooth else values, points)


def parsed(line: bytes) -> Any:
    """Return what a line holds; None if it is damaged."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def as_number(value: Any) -> float:
    """Return a number as it is, and nan for text, null, and what is too large."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan


class Series:
    """The columns of many runs. The least used are forgotten when they take too much memory."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._columns: OrderedDict[Path, Columns] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Path) -> Columns:
        """Return the metrics of a run as they are now."""
        path = run / "metrics.jsonl"
        with self._lock:
            columns = self._current(path)
            self._columns.pop(path, None)
            self._columns[path] = columns
            while len(self._columns) > 1 and sum(c.size for c in self._columns.values()) > self._kept:
                self._columns.popitem(last=False)
            return columns

    def _current(self, path: Path) -> Columns:
        """A file that was only appended to is read from where it ended; any other is read anew."""
        try:
            with path.open("rb") as file:
                about = os.fstat(file.fileno())
                known = self._columns.get(path)
                grown = known is not None and known.file[0] == about.st_ino and about.st_size >= known.end
                if known is not None and grown and known.file[1] == about.st_mtime_ns:
                    return known
                columns = known if known is not None and grown else Columns()
                file.seek(columns.end)
                new = file.read()
                columns.add(new[: new.rfind(b"\n") + 1])
                columns.file = (about.st_ino, about.st_mtime_ns)
                return columns
        except OSError:
            return Columns()


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Return exponential means of a curve, without the pull of a start at zero.

    m_t = w m_{t-1} + (1 - w) x_t, shown as m_t / (1 - w^t). `weight`: w, 0 to below 1.
    """
    mean, known, result = 0.0, 0.0, []
    for value in values:
        mean = weight * mean + (1 - weight) * value
        known = weight * known + (1 - weight)
        result.append(mean / known)
    return result


def thinned(steps: Sequence[int], values: Sequence[float], points: int) -> Curve:
    """Return at most `points` points: of each stretch the lowest and the highest, so that no spike is lost."""
    count = len(values)
    if count <= points:
        return list(steps), list(values)
    stretches = max(points // 2, 1)
    kept: list[int] = []
    for n in range(stretches):
        inside = range(count * n // stretches, count * (n + 1) // stretches)
        kept += sorted({min(inside, key=values.__getitem__), max(inside, key=values.__getitem__)})
    return [steps[i] for i in kept], [values[i] for i in kept]


def sketch(path: Path, points: int) -> list[dict[str, Any]]:
    """Return rows of a long file, evenly spread, its last one included, without reading the whole of it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            rows = [row for n in range(points) if (row := _row_behind(file, size * n // points, n > 0))]
            return rows + ([last] if (last := _last_row(file, size)) else [])
    except OSError:
        return []


def _row_behind(file: Any, offset: int, partial: bool) -> dict[str, Any] | None:
    file.seek(offset)
    if partial:
        file.readline()
    return _row(file.readline())


def _last_row(file: Any, size: int, tail: int = 65536) -> dict[str, Any] | None:
    file.seek(max(size - tail, 0))
    return next(_rows_from_the_end(file.read()), None)


def _rows_from_the_end(content: bytes) -> Iterator[dict[str, Any]]:
    whole = content[: content.rfind(b"\n") + 1]
    return (row for line in reversed(whole.splitlines()) if (row := _row(line)))


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None
