"""Preferences as a product of embeddings, so that they may be cyclic.

Legend: B rows, N pairs, k planes of two numbers each.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus

from posttrain.core.parts import ComparedGroup, PairIndex, PartError, PerPair, PerRow, PerRowMany


def turn(scores: PerRowMany, pairs: PairIndex, *, unit: bool = True) -> PerPair:
    """Skew-symmetric score of the preferred against the rejected row, Σ_l (v_2l u_2l+1 - v_2l+1 u_2l).

    It is the area that the two embeddings span in each plane, with a sign: minus that of the other order, 0 of a row
    against itself.

    Settings:
        unit: whether embeddings are scaled to length 1, so that the score lies between -1 and 1.
    """
    planes = _planes(scores, unit)
    return _area(planes[pairs[:, 0]], planes[pairs[:, 1]])


def gap_logistic(gap: PerPair, *, tau: float = 0.1) -> PerPair:
    """Logistic loss of a score of pairs: -log σ(s/τ).

    Settings:
        tau: τ, score at which a preference is about 3 to 1; above 0, 0.1 on scores between -1 and 1.
    """
    return softplus(-gap / tau)


def gap_ordered(gap: PerPair) -> PerPair:
    """Whether the preferred row wins: 1, 0, or 0.5 for a tie. The mean is the accuracy."""
    return (gap > 0).to(gap.dtype) + 0.5 * (gap == 0).to(gap.dtype)


def win_rate(reward_scores: PerRowMany, group: ComparedGroup, *, tau: float = 0.1, unit: bool = True) -> PerRow:
    """Mean probability with which a row beats the other rows of its group: 1/(G-1) Σ_j σ(s(i, j)/τ); 1/2 if alone.

    Settings:
        tau: τ, as the reward model was trained; 0.1 on scores between -1 and 1.
        unit: whether embeddings are scaled to length 1, as the reward model was trained.
    """
    planes = _planes(reward_scores, unit)
    wins = (_area(planes[:, None], planes[None]) / tau).sigmoid()
    others = (group[:, None] == group[None]) & ~torch.eye(len(group), dtype=torch.bool, device=group.device)
    count = others.sum(1)
    return torch.where(count > 0, (wins * others).sum(1) / count.clamp(min=1), 0.5)


def _planes(scores: Tensor, unit: bool) -> Tensor:
    """Embeddings [B, 2k] as [B, k, 2]. Raises PartError for an odd number of numbers."""
    if scores.shape[1] % 2:
        raise PartError(
            f"an embedding of {scores.shape[1]} numbers does not divide into planes of two; train the reward model by "
            "reward/general_preference, with an even scores.size"
        )
    embedding = normalize(scores, dim=-1) if unit else scores
    return embedding.reshape(len(scores), -1, 2)


def _area(v: Tensor, u: Tensor) -> Tensor:
    return (v[..., 0] * u[..., 1] - v[..., 1] * u[..., 0]).sum(-1)
