"""Losses of comparisons by annotators of different reliability."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from posttrain.core.parts import PerPair


def crowd_logistic(chosen: PerPair, rejected: PerPair, chosen_reliability: PerPair) -> PerPair:
    """Negative log-likelihood of a comparison by an annotator who says what is better with probability η.

    -log [η σ(Δ) + (1-η) σ(-Δ)],    Δ = chosen - rejected
    """
    delta = chosen - rejected
    right = chosen_reliability.log() - softplus(-delta)
    wrong = torch.log1p(-chosen_reliability) - softplus(delta)
    return -torch.logaddexp(right, wrong)
