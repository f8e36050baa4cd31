"""Slot utilisation: how much of the batch does useful work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Counted(Protocol):
    """A batch of running sequences in `size` slots."""

    size: int

    def __len__(self) -> int:
        """The number of sequences that still run."""
        ...

    @property
    def has_waiting(self) -> bool:
        """Whether requests wait for a slot."""
        ...


@dataclass
class Step:
    """One decoding step of an engine that says only what it has drawn."""

    busy: int
    size: int
    has_waiting: bool

    def __len__(self) -> int:
        return self.busy


@dataclass
class Occupancy:
    """Counts slot-steps: slots times decoding steps. In the tail no request waits, and the batch only shrinks."""

    busy: int = 0
    offered: int = 0
    busy_before_tail: int = 0
    offered_before_tail: int = 0

    def count(self, batch: Counted) -> None:
        """Count one step of a batch."""
        self.busy += len(batch)
        self.offered += batch.size
        if batch.has_waiting:
            self.busy_before_tail += len(batch)
            self.offered_before_tail += batch.size

    def reset(self) -> None:
        """Start counting from 0."""
        self.busy = self.offered = 0
        self.busy_before_tail = self.offered_before_tail = 0

    def metrics(self) -> dict[str, float]:
        """Return the utilisation since the last call, and reset it.

        Empty if nothing ran; without `occupancy_before_tail` if no request had to wait.
        """
        metrics = {}
        if self.offered:
            metrics["sampling/occupancy"] = self.busy / self.offered
        if self.offered_before_tail:
            metrics["sampling/occupancy_before_tail"] = self.busy_before_tail / self.offered_before_tail
        self.reset()
        return metrics
