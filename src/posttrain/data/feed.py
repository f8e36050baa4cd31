"""Deal the records of a dataset, epoch after epoch, and remember the position."""

from __future__ import annotations

import itertools
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.records import Record


def cut(size: int, count: int, least: int = 1) -> list[tuple[int, int]]:
    """Cut 0 .. size-1 into ranges of `count`. A rest smaller than `least` joins the range before it."""
    starts = [*range(0, size, count)]
    if len(starts) > 1 and size - starts[-1] < least:
        starts.pop()
    return list(itertools.pairwise([*starts, size]))


class Feed:
    """Records in an order that depends on the seed and the epoch alone. `position` counts the records dealt so far.

    `least`: records that a batch needs; a smaller rest of an epoch joins the batch before it.
    """

    def __init__(self, dataset: Dataset, seed: int, position: int = 0, least: int = 1) -> None:
        self.dataset = dataset
        self.seed = seed
        self.position = position
        self.least = least

    @property
    def epoch(self) -> int:
        """Number of complete passes over the data so far."""
        return self.position // self.dataset.epoch_size

    @property
    def progress(self) -> float:
        """Number of passes over the data so far, with the part of the present one that is done."""
        return self.position / self.dataset.epoch_size

    @property
    def fingerprint(self) -> str:
        """Hash of the records, by which a resumed run notices that they have changed."""
        return self.dataset.fingerprint

    def take(self, count: int) -> list[Record]:
        """Deal the next `count` records, or those that are left of the epoch, so that a batch holds no record twice."""
        size = self.dataset.epoch_size
        order = self.dataset.order(self.epoch, self.seed)
        start = self.position % size
        if size - start - count < self.least:
            count = size - start
        chosen = order[start : start + count]
        self.position += len(chosen)
        return [self.dataset[i] for i in chosen]

    def steps_per_epoch(self, count: int) -> int:
        """Number of batches of `count` records in an epoch; the last one may be smaller or hold the rest."""
        return len(cut(self.dataset.epoch_size, count, self.least))

    def state(self) -> Any:
        """Return the position, as plain data."""
        return self.position

    def restore(self, saved: Any) -> None:
        """Continue from a `state`."""
        if not isinstance(saved, int):
            raise ConfigError("the checkpoint was saved with data.stream; set it again, or start a new run")
        self.position = saved
