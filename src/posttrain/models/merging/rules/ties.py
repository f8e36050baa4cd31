"""TIES-Merging: Resolving Interference When Merging Models (Yadav et al., 2023).

Trim: keep the largest entries of every task vector. Elect: the sign of their weighted sum, entry by entry. Merge: the
weighted mean of the entries that have this sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.models.merging.rules.task_arithmetic import task_arithmetic


def ties(vectors: Sequence[Tensor], weights: Sequence[float], *, density: float = 0.2) -> Tensor:
    """Trim, elect, merge.

    Settings:
        density: share of the entries of each vector that is kept, the largest; above 0 up to 1, 0.2 in the paper.
    """
    return elected([largest(v, density) for v in vectors], weights)


def largest(vector: Tensor, density: float) -> Tensor:
    """The vector with all but its largest entries set to 0."""
    count = max(1, round(density * vector.numel()))
    kept = vector.abs().flatten().topk(min(count, vector.numel())).indices
    mask = torch.zeros_like(vector).flatten().index_fill(0, kept, 1.0)
    return vector * mask.view_as(vector)


def elected(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The weighted mean of the entries that have the sign of the weighted sum; a sum of 0 counts as positive."""
    positive = task_arithmetic(vectors, weights) >= 0
    agreeing = [((v * w > 0) == positive) & (v * w != 0) for v, w in zip(vectors, weights, strict=True)]
    total = task_arithmetic([v * a for v, a in zip(vectors, agreeing, strict=True)], weights)
    counted = task_arithmetic([a.to(total.dtype) for a in agreeing], weights)
    return total / torch.where(counted == 0, 1, counted)
