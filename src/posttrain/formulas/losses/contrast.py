"""Contrast of states and distance of prototypes, so that a reward model tells more answers apart.

Legend: B rows, D hidden width.
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy, normalize

from posttrain.core.batch import keyed_rows
from posttrain.core.parts import PerRow, PerRowMany, PerRowState, Scalar


def contrastive(
    feature: PerRowState, row_id: PerRow, seed: Scalar, *, drop: float = 0.1, temperature: float = 0.05
) -> Scalar:
    """Tell a state from those of the other answers of the batch through dropout (SimCSE).

        -1/B Σ_i log exp(cos(h_i, h'_i)/τ) / Σ_j exp(cos(h_i, h'_j)/τ)

    h and h' are the state under two masks, which derive from the seed and the row.

    Settings:
        drop: share of the state that each mask hides; 0 up to but not including 1, 0.1 is usual.
        temperature: τ; above 0, 0.05 in SimCSE.
    """
    width = feature.shape[1]
    seen = keyed_rows(int(seed), row_id, 2 * width) >= drop
    one, other = (normalize(feature * mask, dim=1) for mask in (seen[:, :width], seen[:, width:]))
    return cross_entropy(one @ other.T / temperature, torch.arange(len(one), device=one.device))


def apart(between: PerRowMany, *, least: float = 0.5) -> PerRow:
    """Keep points apart: how far pairs of them are below the least distance, in the mean over pairs that are.

        mean over d < δ of (δ - d),    0 if there are none

    Settings:
        least: δ, distance from which a pair costs nothing; above 0, 0.5 in the paper's code.
    """
    short = (least - between).clamp(min=0)
    return short.sum(1) / (short > 0).sum(1).clamp(min=1)
