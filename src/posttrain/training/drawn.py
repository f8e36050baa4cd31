"""What was drawn for a step: all episodes, those that it trains on, and the statistics of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from posttrain.records import Episode, Prompt
from posttrain.runs.rounds import as_episodes, as_row


@dataclass(frozen=True)
class Drawn:
    """All episodes sampled for a step, `seen`, and the indices of those that it trains on, `chosen`.

    `again`: the episodes of earlier steps that it trains on beside them.
    """

    seen: list[Episode]
    chosen: list[int]
    metrics: dict[str, float]
    again: list[Episode] = field(default_factory=list)

    @property
    def episodes(self) -> list[Episode]:
        """The episodes that the step trains on."""
        return [self.seen[i] for i in self.chosen] + self.again

    def recent(self, steps: int, limit: int) -> Drawn:
        """Leave out every prompt with a token that weights of more than `limit` steps before `steps` have drawn.

        A prompt goes as a whole: long answers are the oldest, and without them the others would be compared with the
        short ones alone.
        """
        old = {e.prompt.id for e in self.episodes if min(e.versions, default=steps) < steps - limit}
        chosen = [i for i in self.chosen if self.seen[i].prompt.id not in old]
        again = [e for e in self.again if e.prompt.id not in old]
        left = len(self.episodes) - len(chosen) - len(again)
        return replace(self, chosen=chosen, again=again, metrics=self.metrics | {"async/too_old": float(left)})

    def state(self) -> dict[str, Any]:
        """Return everything as plain data."""
        seen, again = ([as_row(e) for e in episodes] for episodes in (self.seen, self.again))
        return {"seen": seen, "chosen": self.chosen, "metrics": self.metrics, "again": again}

    @classmethod
    def restored(cls, state: Mapping[str, Any], prompts: Sequence[Prompt]) -> Drawn:
        """Rebuild it from its `state`."""
        seen, again = (as_episodes(state.get(rows, []), list(prompts)) for rows in ("seen", "again"))
        return cls(seen, state["chosen"], state["metrics"], again)
