"""When a run saves a checkpoint: by steps, by minutes, and at its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posttrain.config.schema import Train

MINUTES = 10.0  # between checkpoints where the run file says nothing


class SaveClock:
    """Says when a checkpoint is due, by steps and by the time since the last one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.last = clock()

    def due(self, train: Train, step: int, of_run: int) -> bool:
        """Whether to save after the `step` of a stage, which is step `of_run` of the run."""
        multiples = ((train.save_every, step), (train.keep_every, of_run))
        minutes = minutes_of(train)
        late = minutes > 0 and self.clock() - self.last >= 60 * minutes
        return late or any(every is not None and count % every == 0 for every, count in multiples)

    def saved(self) -> None:
        """Count the time from now."""
        self.last = self.clock()


def minutes_of(train: Train) -> float:
    """Return the minutes between checkpoints; 0 for none by time."""
    if train.save_minutes is not None:
        return train.save_minutes
    return MINUTES if train.save_every is None else 0.0


def saves(train: Train) -> bool:
    """Whether a run file asks for checkpoints at all."""
    return train.save_every is not None or train.keep_every is not None or minutes_of(train) > 0
