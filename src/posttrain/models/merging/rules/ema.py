"""Acceleration of Stochastic Approximation by Averaging (Polyak and Juditsky, 1992), with forgetting.

The exponential moving average of models in the order in which they were trained: the last counts most.

    v ← decay v + (1 - decay) v_m
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def ema(vectors: Sequence[Tensor], weights: Sequence[float], *, decay: float = 0.9) -> Tensor:
    """Average in the order of the models. A weight w of a model counts it w times.

    Settings:
        decay: share of the average that a model leaves in place; 0 (the last model) up to 1 (the first).
    """
    average = vectors[0]
    for vector, weight in zip(vectors[1:], weights[1:], strict=True):
        average = torch.lerp(average, vector, 1 - decay**weight)
    return average
