"""Rewards and advantages of a bearable size: in units of their spread, and clipped."""

from __future__ import annotations

import math
from typing import Literal

import torch

from posttrain.core.parts import PerRow, PerToken, State
from posttrain.core.rows import Rows


def running_scale(
    state: State | None, reward: PerRow, rows: Rows, *, by: Literal["none", "std", "whiten"] = "std", clip: float = 10.0
) -> tuple[State, PerRow]:
    """Rewards in units of the standard deviation s of all rewards so far, those of this batch included, and clipped.

        clip(R/s, ±c),    whiten: clip((R - μ)/s, ±c)

    The mean and the deviation (divisor n - 1) are merged from batch to batch (Chan et al., 1979), so that it does not
    matter how the answers are cut into batches. Equal rewards keep their size.

    Settings:
        by: what is changed, by name; none, std (divide by s) or whiten (subtract the mean too).
        clip: c, largest size of the result; 0 does not clip, 0.8 to 10 is usual.
    """
    moments = _merged(state or {"count": 0.0, "mean": 0.0, "squares": 0.0}, reward[rows.counted].double())
    spread = math.sqrt(moments["squares"] / max(moments["count"] - 1, 1)) or 1.0
    mean, spread = {"none": (0.0, 1.0), "std": (0.0, spread), "whiten": (moments["mean"], spread)}[by]
    return moments, _bounded((reward - mean) / spread, clip)


def standardised(reward: PerRow, *, mean: float = 0.0, deviation: float = 1.0) -> PerRow:
    """Rewards in fixed units: (R - μ)/s.

    Settings:
        mean: μ, the reward that becomes 0; any number.
        deviation: s, the unit; above 0.
    """
    return (reward - mean) / deviation


def _merged(state: State, new: torch.Tensor) -> State:
    """The number, the mean and the sum of squared distances to it, of the old values and the new ones."""
    count = state["count"] + len(new)
    if not len(new):
        return state
    distance = float(new.mean()) - state["mean"]
    between = distance**2 * state["count"] * len(new) / count
    return {
        "count": count,
        "mean": state["mean"] + distance * len(new) / count,
        "squares": state["squares"] + float(new.var(correction=0)) * len(new) + between,
    }


def _bounded(x: torch.Tensor, clip: float) -> torch.Tensor:
    """Clip to [-clip, clip]; 0 does not clip."""
    return x.clamp(-clip, clip) if clip else x


def clipped(advantage: PerToken, *, bound: float = 0.0) -> PerToken:
    """Advantages of at most a certain size: clip(A, ±c).

    Settings:
        bound: c, largest size of an advantage; 0 does not clip, 0.5 to 5 for whitened ones.
    """
    return _bounded(advantage, bound)
