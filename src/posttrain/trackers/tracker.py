"""The protocol of a tracker, and what it is told at the start.

A tracker is a file of this folder with PACKAGE and `start(about, step)`; `step` is the first that it will be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

COLUMNS = ("prompt", "answer", "reward")
Row = tuple[str, str, float | None]  # in the order of COLUMNS


@dataclass(frozen=True)
class About:
    """The run that a tracker follows.

    `id` stays the same when the run is resumed. `folder` is the run's. `online`: whether the
    tracker may send anything to a server that no environment variable of its own names.
    """

    id: str
    name: str
    folder: Path
    config: Mapping[str, Any]
    project: str
    online: bool


class Tracker(Protocol):
    """A run inside a tracker. Any method may raise; `Follower` catches it."""

    def metrics(self, step: int, numbers: Mapping[str, float]) -> None:
        """Record the numbers of a step."""

    def samples(self, step: int, rows: Sequence[Row]) -> None:
        """Record answers of the model as a table with COLUMNS."""

    def finish(self, *, failed: bool) -> None:
        """End the record. A resumed run continues it."""
