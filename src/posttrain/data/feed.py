"""Deals the records of a dataset, epoch after epoch, and remembers where it is."""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Record


class Feed:
    """Records in an order that depends on the seed and the epoch alone. `position` counts records dealt."""

    def __init__(self, dataset: Dataset, seed: int, position: int = 0) -> None:
        self.dataset, self.seed, self.position = dataset, seed, position

    @property
    def epoch(self) -> int:
        return self.position // len(self.dataset)

    def take(self, count: int) -> list[Record]:
        """The next records, at most `count`: a batch ends with its epoch, so no record is in it twice."""
        size = len(self.dataset)
        order = self.dataset.order(self.epoch, self.seed)
        start = self.position % size
        chosen = order[start : start + count]
        self.position += len(chosen)
        return [self.dataset[i] for i in chosen]

    def steps_per_epoch(self, count: int) -> int:
        return -(-len(self.dataset) // count)
