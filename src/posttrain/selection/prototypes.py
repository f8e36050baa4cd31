"""Prototypes among the states of answers: few states that stand for all (Zhang et al., 2024; Allen et al., 2019)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def prototypes(states: Tensor, *, alpha: float = 0.1, most: int = 36) -> Tensor:
    """Find prototypes of the states of pairs, preferred and other in turn: [2 N, D] -> [P, D], P <= most.

        a state begins a prototype where  min_p |h - μ_p|² > λ,    λ = -2σ log α + D σ log(1 + ρ/σ)

    The first two are the means of both sides; ρ is the variance between these, and σ that around them, each in the mean
    over the coordinates. Every prototype is then the mean of the states that are nearest to it.

    Settings:
        alpha: α, how readily a state begins a prototype; above 0 and below 1, 0.1 in the paper's code.
        most: largest number of prototypes; at least 2.
    """
    sides = torch.stack([states[::2].mean(0), states[1::2].mean(0)])
    around = float(_nearest(states, sides).values.mean()) / states.shape[1]
    threshold = limit(around, float(sides.var(0, correction=0).mean()), states.shape[1], alpha)
    found = sides
    for state in states:
        if len(found) < most and float(_nearest(state[None], found).values) > threshold:
            found = torch.cat([found, state[None]])
    own = _nearest(states, found).indices
    return torch.stack([states[own == k].mean(0) for k in range(len(found)) if bool((own == k).any())])


def limit(around: float, between: float, width: int, alpha: float) -> float:
    """Return λ = -2σ log α + D σ log(1 + ρ/σ): 0 where nothing varies."""
    return 0.0 if around == 0 else around * (width * math.log1p(between / around) - 2 * math.log(alpha))


def _nearest(states: Tensor, points: Tensor) -> torch.return_types.min:
    """Return the squared distance of each state to the nearest point, and which one it is."""
    return torch.cdist(states, points, compute_mode="donot_use_mm_for_euclid_dist").square().min(1)
