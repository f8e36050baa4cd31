"""Rewards of tokens from the score of a whole answer: the score is divided among its tokens and adds up to itself."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def score_differences(reward: PerRow, prefix_reward: PerToken, rows: Rows, *, share: float = 1.0) -> PerToken:
    """Token rewards: how much each token changed the score of what was written so far.

        r_t = c (s(y_≤t) - s(y_<t)) + (1 - c) [t last] s(y),    s of nothing is 0

    Settings:
        share: c, share of the score that is divided among the tokens; 0 (none) to 1 (all).
    """
    return share * (prefix_reward - rows.previous(prefix_reward)) + (1 - share) * rows.at_last(reward)


def by_attention(reward: PerRow, reward_attention: PerToken, rows: Rows, *, share: float = 0.8) -> PerToken:
    """Token rewards: the score, divided as the reward model attends to the tokens from the last one.

        r_t = c α_t s(y) + (1 - c) [t last] s(y),    Σ_t α_t = 1 over the answer

    Settings:
        share: c, share of the score that is divided among the tokens; 0 (none) to 1 (all).
    """
    seen = rows.sum(reward_attention)
    even = reward / rows.length().clamp(min=1)  # of an answer that the last token does not look at
    divided = torch.where(rows.spread(seen) > 0, reward_attention * rows.spread(reward / seen), rows.spread(even))
    return share * divided + (1 - share) * rows.at_last(reward)


def minus_kl(dense: PerToken, old_logp: PerToken, ref_logp: PerToken, *, kl_weight: float = 0.05) -> PerToken:
    """Token rewards less the KL to the reference.

        r_t - β (log π_old - log π_ref)

    Settings:
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    return dense - kl_weight * (old_logp - ref_logp)
