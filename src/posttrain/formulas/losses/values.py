"""Losses and measures of critics."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, PerTokenVocab, Scalar
from posttrain.core.tensors import Rows


def clipped_value(value: PerToken, old_value: PerToken, returns: PerToken, *, clip: float = 0.2) -> PerToken:
    """½ max((V - R)², (clip(V, V_old ± clip) - R)²)"""
    near = old_value + (value - old_value).clamp(-clip, clip)
    return 0.5 * torch.maximum((value - returns) ** 2, (near - returns) ** 2)


def explained_variance(old_value: PerToken, returns: PerToken, rows: Rows) -> Scalar:
    """1 - Var(R - V) / Var(R) over the trained tokens; 0 where the returns do not vary."""
    target, error = returns[rows.mask], (returns - old_value)[rows.mask]
    if not len(target):
        return target.new_zeros(())
    spread = target.var(correction=0)
    return torch.where(spread > 0, 1 - error.var(correction=0) / spread.clamp(min=1e-12), 0.0)


def squared_error(value: PerRow, target: PerRow) -> PerRow:
    """(V - R)²"""
    return (value - target) ** 2


def advantage_error(logp: PerToken, ref_logp: PerToken, token_reward: PerToken, *, beta: float = 1.0) -> PerToken:
    """(log π(y_t)/π_ref(y_t) - ρ_t/β)², ρ the token reward: in the process of tokens the log-ratio is the advantage."""
    return (logp - ref_logp - token_reward / beta) ** 2


def soft_bellman(value: PerRow, reward: PerRow, score: PerRow, *, tau: float = 1.0) -> PerRow:
    """(r - sg V - τ s)² / (2τ) + (r - V - τ sg s)² / 2"""
    of_policy, of_value = reward - value.detach() - tau * score, reward - value - tau * score.detach()
    return of_policy**2 / (2 * tau) + of_value**2 / 2


def taken(q: PerTokenVocab, tokens: PerToken) -> PerToken:
    """Q(s_t, y_t)"""
    return q.gather(-1, tokens[:, None])[:, 0]


def one_step_error(
    taken_q: PerToken, value: PerToken, token_reward: PerToken, rows: Rows, *, gamma: float = 0.99
) -> PerToken:
    """(r_t + γ sg V_{t+1} - Q(s_t, y_t))²; V after the last token is 0."""
    return (token_reward + gamma * rows.next(value.detach()) - taken_q) ** 2


def expectile(value: PerToken, taken_q: PerToken, other_q: PerToken, *, tau: float = 0.7) -> PerToken:
    """|τ - [d < 0]| d², d = sg min(Q, Q') - V: V goes to the τ-expectile of what the data's tokens are worth."""
    d = torch.minimum(taken_q, other_q).detach() - value
    return torch.where(d < 0, 1 - tau, tau) * d**2


def conservative(q: PerTokenVocab, tokens: PerToken) -> PerToken:
    """-log softmax Q(s_t, ·)[y_t]: tokens that the data lacks are worth less."""
    return -taken(q.log_softmax(-1), tokens)
