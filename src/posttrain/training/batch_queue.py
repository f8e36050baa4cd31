"""The batches that are drawn before their step: a queue of bounded length, in the order of the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.records import Prompt
from posttrain.training.drawn import Drawn


class BatchQueue:
    """At most `steps` batches wait. A batch is drawn `steps` steps before its own, so its weights are that old.

    Which weights draw which batch depends on the number of the step alone. So a run has the same bits when it is
    repeated, and also when it is cut and resumed: the queue is a part of its checkpoints, token by token.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.drawn: list[Drawn] = []

    def take(self, step: int, total: int, draw: Callable[[int], Drawn]) -> Drawn:
        """Return the batch of a step, and draw those behind it before it trains; none behind the last of `total`."""
        now = self.drawn.pop(0) if self.drawn else draw(step)
        for later in range(step + 1 + len(self.drawn), min(step + self.steps + 1, total)):
            self.drawn.append(draw(later))
        return now

    def state(self) -> list[Any]:
        """Return what waits as plain data."""
        return [drawn.state() for drawn in self.drawn]

    def restore(self, saved: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None, prompts: Sequence[Prompt]) -> None:
        """Continue from a `state`; checkpoints that held at most one batch are read, too."""
        several = [saved] if isinstance(saved, Mapping) else saved or []
        self.drawn = [Drawn.restored(one, prompts) for one in several]
