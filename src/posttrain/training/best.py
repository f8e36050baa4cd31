"""The best weights of a stage by a metric of its evaluations, and when to stop waiting for better ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from posttrain.errors import ConfigError, suggestion
from posttrain.training.run import Run

KEPT = "best-so-far"  # the role that holds the weights; it is in every checkpoint
PREFIX = "eval/"
FALLING = ("loss", "perplexity", "kl")  # metrics with one of these in their name are better if lower


def not_measured(asked: str, known: Iterable[str]) -> ConfigError:
    """Return the user's error for an `evaluate.best` that is none of the metrics of the evaluations."""
    name, names = asked.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known]
    return ConfigError(
        f"evaluate.best: {name!r} is not measured{suggestion(name, names)}; this run measures {', '.join(names)}"
    )


class Best:
    """Keeps a copy of the weights with the best metric so far, if the run file asks for it (`evaluate.best`).

    `step`: the training step of these weights; None before the first evaluation. `waited`: evaluations since then.
    """

    def __init__(self, run: Run, role: str) -> None:
        section = run.file.evaluate
        asked = None if section is None or run.file.procedure is not None else section.best
        self.run = run
        self.role = role
        self.metric = None if asked is None else PREFIX + asked.removeprefix(PREFIX)
        self.patience = None if section is None else section.patience
        mode = None if section is None else section.mode
        self.lower = mode == "min" or (mode is None and any(word in (asked or "") for word in FALLING))
        self.step: int | None = None
        self.value = 0.0
        self.waited = 0

    def check(self, metrics: Mapping[str, float]) -> None:
        """Raise ConfigError if evaluations do not measure the metric."""
        if self.metric is not None and metrics and self.metric not in metrics:
            raise not_measured(self.metric, metrics)

    def see(self, step: int, metrics: Mapping[str, float]) -> None:
        """Look at the metrics of a step; copy the weights if they are the best so far."""
        if self.metric is None or self.metric not in metrics:
            return
        value = metrics[self.metric]
        if self.step is None or (value < self.value if self.lower else value > self.value):
            self.step, self.value, self.waited = step, value, 0
            self.run.learner.copy(self.role, KEPT)
        else:
            self.waited += 1

    @property
    def exhausted(self) -> bool:
        """Whether the run file wants to wait no longer for a better evaluation."""
        return self.metric is not None and self.patience is not None and self.waited >= self.patience

    def __str__(self) -> str:
        return f"the weights after step {self.step}, the best by {self.metric} ({self.value:.4g})"

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs to know."""
        return {"step": self.step, "value": self.value, "waited": self.waited, "of": self._of}

    @property
    def _of(self) -> str:
        """What is compared: the metric, and whether it should be low."""
        return f"{'lowest' if self.lower else 'highest'} {self.metric}"

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a `state`. The weights come with those of the other models, so this comes before them.

        A state of another metric is not continued: the best is looked for from here on.
        """
        if saved.get("of", self._of) != self._of:
            return
        self.step, self.value, self.waited = saved["step"], saved["value"], saved["waited"]
        if self.step is not None:
            self.run.learner.copy(self.role, KEPT)
