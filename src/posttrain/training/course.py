"""The length of a stage in steps, and where on its schedule each step lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posttrain.data.feed import Feed, cut

if TYPE_CHECKING:
    from posttrain.config.schema import Train


@dataclass(frozen=True)
class Course:
    """Steps of `per_step` records: a given number of them, or as many as `epochs` passes over the data take.

    A run may be resumed with other batches than it began with. Then `start_step` and `start_position` say where they
    begin, and what remains is counted in records. `whole` is the length that the stage would have with the present
    batches alone: the schedule goes on as if all its steps were of that size, and ends with the stage.
    """

    total: int
    whole: int
    per_step: int
    start_step: int = 0
    start_position: int = 0

    @classmethod
    def of(cls, train: Train, feed: Feed, start_step: int = 0, start_position: int = 0) -> Course:
        """Plan a stage as the run file says, from a step and a position in its data."""
        per_step = train.prompts_per_step
        if train.steps is not None:
            total = whole = int(train.steps)
        else:
            epochs = train.epochs or 1
            total = whole = max(1, round(epochs * feed.steps_per_epoch(per_step)))
            if start_position:
                total = start_step + batches_left(len(feed.dataset), start_position, epochs, per_step, feed.least)
        return cls(total, whole, per_step, start_step, start_position)

    def resumed(self, saved: Mapping[str, Any], train: Train, feed: Feed, step: int, ahead: int) -> Course:
        """Plan the rest of a stage that a checkpoint continues at `step`.

        `saved`: the `state` of the course before. `ahead`: batches that are drawn and not yet trained on.
        """
        if saved["per_step"] == self.per_step:
            return self.of(train, feed, saved["start_step"], saved["start_position"])
        return self.of(train, feed, step + ahead, feed.position)

    def state(self) -> dict[str, int]:
        """Return what a resumed run needs to know, as plain data."""
        return {"per_step": self.per_step, "start_step": self.start_step, "start_position": self.start_position}

    @property
    def shift(self) -> int:
        """Steps that the schedule is ahead of the count of steps; negative where steps have become larger."""
        return self.whole - self.total


def batches_left(size: int, position: int, epochs: float, per_step: int, least: int = 1) -> int:
    """Return the number of batches from a position in the data to the end of an epoch; a batch never spans two."""
    epoch, done = divmod(position, size)
    full = int(epochs)
    if epoch >= full:
        return max(0, round((epochs * size - position) / per_step))
    per_epoch = len(cut(size, per_step, least))
    return len(cut(size - done, per_step, least)) + (full - epoch - 1) * per_epoch + round((epochs - full) * per_epoch)
