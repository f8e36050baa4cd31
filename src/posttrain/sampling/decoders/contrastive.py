"""Contrastive Decoding: Open-ended Text Generation as Optimization (Li et al., 2023).

The tokens that an expert finds likelier than an amateur does, among those that the expert finds plausible.

    score(v) = log π(v) - log π_amateur(v)    if π(v) >= α max π,    else -∞

With α = 1 only the expert's best token is left.
"""

from __future__ import annotations

import math

import torch

from posttrain.core.decoder import Logits


def contrastive(policy: Logits, amateur: Logits, *, alpha: float = 0.1) -> Logits:
    """Subtract the amateur's log-probs from the expert's, among the expert's plausible tokens.

    Settings:
        alpha: α, share of the best token's probability that a plausible one has; above 0, up to 1, 0.1 is usual.
    """
    log_p = policy.log_softmax(-1)
    plausible = log_p >= log_p.amax(-1, keepdim=True) + math.log(alpha)
    return torch.where(plausible, log_p - amateur.log_softmax(-1), -torch.inf)
