"""`metrics.jsonl`: one line per step, only ever appended to; a resumed run first drops what it repeats."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from posttrain.errors import StorageError
from posttrain.runs import durable

Metric = float | int | str | None

TIMINGS = ("time/", "tokens_per_second", "step_time")


class MetricsWriter:
    """Appends rows to `metrics.jsonl`. Each row reaches the file before `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            drop_torn_line(path)
        except OSError as error:
            raise failed(path, error) from error

    def write(self, step: int, metrics: Mapping[str, Metric]) -> None:
        """One row. Numbers are written with all their digits; NaN and the infinities become null."""
        if "step" in metrics:
            raise ValueError("'step' is the row's own key, not a metric")
        row = {"step": step, **metrics}
        try:
            self._file.write(encode(row))
            self._file.flush()
        except OSError as error:
            raise failed(self.path, error) from error

    def sync(self) -> None:
        """Wait until all rows are on the disk; call it before a checkpoint that relies on them."""
        os.fsync(self._file.fileno())

    def truncate_after(self, step: int) -> int:
        """Remove the rows of later steps, as a run does that resumes at `step`; returns how many.

        The rows that stay keep their bytes, so that a resumed file equals that of an uninterrupted run.
        """
        rows = list(read_lines(self.path))
        kept = [line for line, row in rows if row["step"] <= step]
        if len(kept) < len(rows):
            self._file.close()
            durable.write_bytes(self.path, b"".join(kept))
            self._file = self.path.open("ab")
        return len(rows) - len(kept)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def encode(row: Mapping[str, Any]) -> bytes:
    """One line of JSON that any reader accepts."""
    return (json.dumps({name: finite(value) for name, value in row.items()}, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """A number that JSON can say, or None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_timing(name: str) -> bool:
    """Whether a metric measures the machine: it differs between two runs that are otherwise the same."""
    return name.startswith(TIMINGS)


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file in order. Raises StorageError with the line of a row that is damaged."""
    return (row for _, row in read_lines(path))


def read_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each row as it stands in the file, and what it says."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                int(row["step"])
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(f"{path}:{number}: not a row of metrics; delete this line") from error
            yield line, row


def drop_torn_line(path: Path) -> None:
    """Cut off a last line that a killed process left without its end."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def failed(path: Path, error: OSError) -> StorageError:
    """The error of a file that cannot be written."""
    return StorageError(f"{path}: cannot be written ({error.strerror}); free some space or check its permissions")
