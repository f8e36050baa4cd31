"""Schedules of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

POLICY = "policy"


@dataclass(frozen=True)
class Schedule:
    """A linear warm-up to the peak, then a constant rate, or a linear or half-cosine decay to zero.

    `warmup` is a number of steps or, below 1, a fraction of the run. The first step already has a rate above zero.
    """

    peak: float
    steps: int
    kind: str = "constant"
    warmup: float = 0

    @property
    def warm(self) -> float:
        """Number of steps of the warm-up."""
        return math.ceil(self.warmup * self.steps) if self.warmup < 1 else self.warmup

    def at(self, step: int) -> float:
        """Return the rate of a step, counted from 0."""
        warm = self.warm
        if step < warm:
            return self.peak * (step + 1) / warm
        if self.kind == "constant":
            return self.peak
        left = (self.steps - step) / max(self.steps - warm, 1)
        return self.peak * (left if self.kind == "linear" else 0.5 * (1 - math.cos(math.pi * left)))


def too_long(warmup: float, steps: int) -> str | None:
    """Say so if a warm-up is longer than the stage, so that no step has the learning rate that was asked for."""
    if warmup <= max(steps, 1):
        return None
    return (
        f"the warm-up of {warmup:g} steps is longer than the {steps} steps that there are, so the learning rate ends "
        f"at {steps / warmup:.0%} of its peak; for a tenth of the steps set train.warmup=0.1"
    )


@dataclass(frozen=True)
class Rates:
    """The learning rates of all roles, which share one peak or have one each; called with a step.

    `shift`: steps by which the schedule is ahead of the count of steps (a run resumed with other batches). `wait`:
    steps in which the policy does not learn (its rate is 0) and its schedule has not begun.
    """

    peaks: float | Mapping[str, float]
    roles: tuple[str, ...]
    steps: int
    kind: str = "constant"
    warmup: float = 0
    shift: int = 0
    wait: int = 0

    def __call__(self, step: int) -> dict[str, float]:
        peaks = dict.fromkeys(self.roles, self.peaks) if isinstance(self.peaks, int | float) else self.peaks
        return {role: self._at(step, peaks[role], self.wait if role == POLICY else 0) for role in self.roles}

    def _at(self, step: int, peak: float, wait: int) -> float:
        if step < wait:
            return 0.0
        return Schedule(peak, self.steps - wait, self.kind, self.warmup).at(max(0, step - wait + self.shift))
