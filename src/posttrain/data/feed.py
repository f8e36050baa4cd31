"""Deal the records of a dataset, epoch after epoch, and remember the position."""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Record


class Feed:
    """Records in an order that depends on the seed and the epoch alone. `position` counts the records dealt so far."""

    def __init__(self, dataset: Dataset, seed: int, position: int = 0) -> None:
        self.dataset = dataset
        self.seed = seed
        self.position = position

    @property
    def epoch(self) -> int:
        """Number of complete passes over the data so far."""
        return self.position // len(self.dataset)

    def take(self, count: int) -> list[Record]:
        """Deal the next records, at most `count`: a batch ends with its epoch, so it holds no record twice."""
        size = len(self.dataset)
        order = self.dataset.order(self.epoch, self.seed)
        start = self.position % size
        chosen = order[start : start + count]
        self.position += len(chosen)
        return [self.dataset[i] for i in chosen]

    def steps_per_epoch(self, count: int) -> int:
        """Number of batches of `count` records in an epoch; the last one may be smaller."""
        return -(-len(self.dataset) // count)
