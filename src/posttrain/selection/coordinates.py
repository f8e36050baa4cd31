"""Coordinates of embedded answers: few, and none larger than the others."""

from __future__ import annotations

import torch
from torch import Tensor


def principal(vectors: Tensor, count: int) -> Tensor:
    """Return the map [D, d] of vectors [N, D] to their d principal directions, d at most `count` and their rank.

    `vectors @ principal(vectors, count)` has mean square 1 in each coordinate, and its coordinates are uncorrelated
    about 0.
    """
    _, size, axes = torch.linalg.svd(vectors, full_matrices=False)
    nothing = size[0] * max(vectors.shape) * torch.finfo(vectors.dtype).eps
    kept = min(count, int((size > nothing).sum()))
    white: Tensor = axes[:kept].T / size[:kept] * len(vectors) ** 0.5
    return white


def standardised(rewards: Tensor) -> Tensor:
    """Return each column of [N, K] with mean 0 and standard deviation 1; 0 where all its numbers are equal."""
    spread = rewards.std(0, correction=0)
    return (rewards - rewards.mean(0)) / torch.where(spread > 0, spread, 1)
