"""Weights that follow from other weights, beside what gradients do: moving averages, and steps that are merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Average:
    """A moving average of another model: θ ← decay θ + (1 - decay) source, after every optimiser step.

    `batches`: where it is not 0, after every `batches`-th batch instead, so that it stays the same within a batch.
    """

    of: str
    decay: float
    batches: int = 0


@dataclass(frozen=True)
class StepMerging:
    """A difference between two models, tuned and base, of which a little is merged into every optimiser step.

    Settings:
        rule: how they are merged; dare (random entries) or ties (the largest, where signs agree).
        weight: α, share of the difference in a step; 0 (nothing is merged) to 1, 1e-7 to 1e-5 is usual.
        density: p, share of the entries of step and difference that is kept; above 0 up to 1, 5e-4 to 0.5 is usual.
        tuned: role of the model after the tuning that is to be kept; any, by default the policy as the run began.
        base: role of the model before that tuning; any.
    """

    rule: Literal["dare", "ties"] = "dare"
    weight: float = 1e-6
    density: float = 0.01
    tuned: str = "sft"
    base: str = "base"
