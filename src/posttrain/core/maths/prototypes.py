"""Prototypes: states that stand for many, of which a state takes a part.

Legend: N states, P prototypes, D hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor

EXACT = "donot_use_mm_for_euclid_dist"  # so that a state has the same distances whatever stands beside it


def distances(states: Tensor, prototypes: Tensor) -> Tensor:
    """Distance of each state to each prototype: [N, D] and [P, D] -> [N, P]."""
    return torch.cdist(states, prototypes, compute_mode=EXACT)


def drawn(states: Tensor, prototypes: Tensor) -> Tensor:
    """Draw states half the way to the prototypes near them: [N, D] and [P, D] -> [N, D].

    1/2 (h + Σ_p a_p μ_p),    a = softmax(-|h - μ_p|)
    """
    near = (-distances(states, prototypes)).softmax(-1)
    return (states + near @ prototypes) / 2


def between(prototypes: Tensor) -> Tensor:
    """Distances of all pairs of prototypes: [P, D] -> [P (P-1)/2]."""
    return torch.pdist(prototypes)
