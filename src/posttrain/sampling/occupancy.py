"""How much of the batch works: what a scheduler can lose before any kernel is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Counted(Protocol):
    size: int

    def __len__(self) -> int: ...
    @property
    def waits(self) -> bool: ...


@dataclass
class Occupancy:
    """Slot-steps: a slot for the time of one token. In the tail no request waits, and the batch only shrinks."""

    busy: int = 0
    offered: int = 0
    busy_before_tail: int = 0
    offered_before_tail: int = 0

    def count(self, batch: Counted) -> None:
        """One step of a batch."""
        self.busy += len(batch)
        self.offered += batch.size
        if batch.waits:
            self.busy_before_tail += len(batch)
            self.offered_before_tail += batch.size

    def metrics(self) -> dict[str, float]:
        """Since the last call; empty when nothing ran, without the one before the tail when nothing waited."""
        found = {}
        if self.offered:
            found["sampling/occupancy"] = self.busy / self.offered
        if self.offered_before_tail:
            found["sampling/occupancy_before_tail"] = self.busy_before_tail / self.offered_before_tail
        self.__init__()  # type: ignore[misc]
        return found
