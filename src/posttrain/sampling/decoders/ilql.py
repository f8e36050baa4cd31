"""Offline RL for Natural Language Generation with Implicit Language Q Learning (Snell et al., 2022).

ILQL's answers: the tokens that the policy imitates, shifted by what they are worth. method: offline/ilql trains the
Q-functions and saves their moving averages with the model.

    π_β(v | s) ∝ π(v | s) exp(β min(Q̂_1, Q̂_2)(s, v))

The paper's β (Q - V) is the same distribution, since V(s) is one number for all tokens. β = 0 is the policy.
"""

from __future__ import annotations

import torch

from posttrain.core.decoder import Logits


def ilql(policy: Logits, target_q1: Logits, target_q2: Logits, *, beta: float = 1.0) -> Logits:
    """Add the lower of two Q-values to the log-prob of each token.

    Settings:
        beta: β, weight of the Q-values; 0 is the policy alone, 1 to 32 is usual, in units of 1 / reward.
    """
    return policy + beta * torch.minimum(target_q1, target_q2)
