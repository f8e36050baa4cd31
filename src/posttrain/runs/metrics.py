"""`metrics.jsonl`: one line per step, append-only; a resumed run first drops the lines that it will repeat."""

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

TIMINGS = ("time/", "processes/", "tokens_per_second", "step_time")


class MetricsWriter:
    """Appends rows to `metrics.jsonl`. Each row reaches the file before `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            drop_torn_line(path)
        except OSError as error:
            raise write_error(path, error) from error

    def write(self, step: int, metrics: Mapping[str, Metric]) -> None:
        """Append one row. Numbers keep all their digits; NaN and the infinities become null."""
        if "step" in metrics:
            raise ValueError("'step' is the row's own key, not a metric")
        row = {"step": step, **metrics}
        try:
            self._file.write(encode(row))
            self._file.flush()
        except OSError as error:
            raise write_error(self.path, error) from error

    def sync(self) -> None:
        """Wait until all rows are on disk. Call it before a checkpoint that relies on them."""
        os.fsync(self._file.fileno())

    def truncate_after(self, step: int) -> int:
        """Remove the rows of later steps when a run resumes at `step`; return their number.

        The remaining rows keep their bytes, so that a resumed file equals that of an uninterrupted run.
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
    """Encode a row as one line of JSON that any reader accepts."""
    return (json.dumps({name: finite(value) for name, value in row.items()}, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """Return the value, or None for a float that JSON cannot represent."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_timing(name: str) -> bool:
    """Whether a metric measures the machine, so that it differs between two otherwise identical runs."""
    return name.startswith(TIMINGS)


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file in order. Raises StorageError with the line of a damaged row."""
    return (row for _, row in read_lines(path))


def read_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield each line of the file as bytes, and the row it holds."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                int(row["step"])
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(f"{path}:{number}: not a row of metrics; delete this line") from error
            yield line, row


def drop_torn_line(path: Path) -> None:
    """Remove an incomplete last line that a killed process left."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def write_error(path: Path, error: OSError) -> StorageError:
    """Return the user's error for a file that cannot be written."""
    return StorageError(f"{path}: cannot be written ({error.strerror}); free some space or check its permissions")
