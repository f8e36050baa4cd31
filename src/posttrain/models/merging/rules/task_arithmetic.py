"""Editing Models with Task Arithmetic (Ilharco et al., 2023).

The weighted sum of task vectors: a negative weight unlearns a task, several weights add tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def task_arithmetic(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Σ w_m v_m."""
    total = vectors[0] * weights[0]
    for vector, weight in zip(vectors[1:], weights[1:], strict=True):
        total = total + vector * weight
    return total
