"""Policy-gradient losses and the probability ratios that they clip."""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken, PerTokenVocab
from posttrain.core.rows import Rows


def reinforce(logp: PerToken, advantage: PerToken) -> PerToken:
    """REINFORCE loss of a token: -A_t log π(y_t)."""
    return -advantage * logp


def token_ratio(logp: PerToken, old_logp: PerToken) -> PerToken:
    """Probability ratio of a token: ρ_t = π(y_t) / π_old(y_t)."""
    return bounded_exp(logp - old_logp)


def sequence_ratio(logp: PerToken, old_logp: PerToken, rows: Rows) -> PerToken:
    """Probability ratio of the answer per token, at every token: s = (π(y)/π_old(y))^(1/|y|).

    Its gradient at a token is that of the token's own log-prob.
    """
    mean = rows.spread(rows.mean((logp - old_logp).detach()))
    return bounded_exp(mean + logp - logp.detach())


def clipped_surrogate(advantage: PerToken, ratio: PerToken, *, low: float = 0.2, high: float = 0.2) -> PerToken:
    """PPO's clipped loss of a token.

        -min(ρ A, clip(ρ, 1 - ε_l, 1 + ε_h) A)

    Settings:
        low: ε_l, a negative advantage lowers the ratio down to 1 - low; 0 to 1, 0.1 to 0.3 a token, 3e-4 a sequence.
        high: ε_h, a positive advantage raises the ratio up to 1 + high; above 0, 0.1 to 0.3 a token, 4e-4 a sequence.
    """
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def surrogate(advantage: PerToken, ratio: PerToken) -> PerToken:
    """Importance-weighted policy-gradient loss of a token: -ρ A."""
    return -ratio * advantage


def clipped_share(advantage: PerToken, ratio: PerToken, *, low: float = 0.2, high: float = 0.2) -> PerToken:
    """1 where the clip has cut off the gradient, else 0: the mean is the clip ratio.

    Settings:
        low: ε_l, a negative advantage lowers the ratio down to 1 - low; 0 to 1, 0.1 to 0.3 a token, 3e-4 a sequence.
        high: ε_h, a positive advantage raises the ratio up to 1 + high; above 0, 0.1 to 0.3 a token, 4e-4 a sequence.
    """
    cut = ((advantage > 0) & (ratio > 1 + high)) | ((advantage < 0) & (ratio < 1 - low))
    return cut.to(ratio.dtype)


def all_actions(logits: PerTokenVocab, q: PerTokenVocab) -> PerToken:
    """Policy-gradient loss over all tokens, not only the sampled one: -Σ_a π(a|s_t) sg Q(s_t, a)."""
    return -(logits.softmax(-1) * q.detach()).sum(-1)
