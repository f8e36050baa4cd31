"""What a reward function may be given besides its data, as TRL's trainer does: `trainer_state` and two loggers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from posttrain.rewards.verdicts import number
from posttrain.rewards.workers.call import Call
from posttrain.rewards.workers.outcome import Scores


class TrainerState(SimpleNamespace):
    """Where the run is: `global_step`, and `max_steps` if it is known. TRL's has more."""

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(vars(self))
        raise AttributeError(f"trainer_state.{name} is not known here; a reward may read {known}")


class Extras:
    """Collects what one call of a reward function logs."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._metrics: dict[str, list[float]] = {}
        self._notes: dict[str, list[Any]] = {}

    def given(self) -> dict[str, Any]:
        """Those arguments that the function takes."""
        all_ = {
            "trainer_state": TrainerState(**self._call.state),
            "log_extra": self.log_extra,
            "log_metric": self.log_metric,
        }
        return {name: all_[name] for name in self._call.extras}

    def log_metric(self, name: str, value: Any) -> None:
        """Add a number to the curve `rewards/REWARD/name`, which is the mean over all calls."""
        self._metrics.setdefault(str(name), []).append(number(value))

    def log_extra(self, column: str, values: Sequence[Any]) -> None:
        """Show a value for each completion in the samples of the run."""
        values, count = list(values), len(self._call.items)
        if len(values) != count:
            raise ValueError(f"log_extra({column!r}, ...) got {len(values)} values for {count} completions")
        self._notes[str(column)] = values

    def added_to(self, result: Any) -> Any:
        """A list of scores, together with what was logged; anything else as it is."""
        if not (self._metrics or self._notes) or not isinstance(result, list):
            return result
        scores = Scores(result, **getattr(result, "watched", {}))
        for name, values in self._metrics.items():
            scores.watched[name] = [math.fsum(values) / len(values), *[None] * (len(scores) - 1)]
        scores.notes = {**getattr(result, "notes", {}), **self._notes}
        return scores


def opened(results: Sequence[Any]) -> Scores:
    """Scores from results of verl's form: a number, or a mapping with `score` and whatever else should be watched."""
    scores = Scores([r["score"] if isinstance(r, dict) and "score" in r else r for r in results])
    for k, result in enumerate(results):
        for name, value in result.items() if isinstance(result, dict) and "score" in result else ():
            if name != "score":
                numeric = isinstance(value, bool | int | float)
                kept: dict[str, Any] = scores.watched if numeric else scores.notes
                kept.setdefault(str(name), [None] * len(scores))[k] = value
    return scores
