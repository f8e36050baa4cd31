"""Default learning rates, declared by kinds of records and by methods."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A peak learning rate of AdamW: for all weights of a model, and for LoRA adapters on it."""

    weights: float
    lora: float


# Adapters take about ten times the rate of all weights (LoRA Without Regret, Schulman et al., 2025).
IMITATION = Rate(2e-5, 2e-4)  # every token of an answer is a target
COMPARISON = Rate(1e-6, 1e-5)  # preferences and rewards, where a higher rate drifts from the reference
HEAD = Rate(1e-5, 1e-4)  # models with a head that begins at zero or at random: critics and reward models
