"""Scores of tokens and rows: the quantities that the losses compare."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch.nn.functional import logsigmoid

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerRow, PerToken, PerTokenVocab
from posttrain.core.rows import Rows


def nll(logp: PerToken) -> PerToken:
    """Negative log-likelihood of a token: -log π(y_t)."""
    return -logp


def ref_token_logp(ref_logp: PerToken) -> PerToken:
    """Log-prob of a token under the reference: log π_ref(y_t)."""
    return ref_logp


def sum_logp(logp: PerToken, rows: Rows) -> PerRow:
    """Log-prob of the answer: log π(y)."""
    return rows.sum(logp)


def mean_logp(logp: PerToken, rows: Rows) -> PerRow:
    """Log-prob of the answer per token: log π(y) / |y|."""
    return rows.mean(logp)


def log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> PerRow:
    """Log-ratio of the answer: log π(y)/π_ref(y)."""
    return rows.sum(logp - ref_logp)


def mean_log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> PerRow:
    """Log-ratio of the answer per token: log π(y)/π_ref(y) / |y|."""
    return rows.mean(logp - ref_logp)


def token_log_ratio(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Log-ratio of a token: log π(y_t)/π_ref(y_t)."""
    return logp - ref_logp


def between(one: PerToken, two: PerToken, *, share: float = 0.5) -> PerToken:
    """Log-prob under the geometric mixture of two models, up to its constant.

        (1 - share) log π_1 + share log π_2

    Settings:
        share: weight of the second model; 0 (the first alone) to 1 (the second alone).
    """
    return (1 - share) * one + share * two


def row_score(score: PerRow) -> PerRow:
    """Score of the row by the reward model."""
    return score


def row_reward(reward: PerRow) -> PerRow:
    """Reward of the row."""
    return reward


def row_safety(safe: PerRow) -> PerRow:
    """Safety of the row: 1 for a safe answer, else 0."""
    return safe


def log_odds(logp: PerToken, rows: Rows) -> PerRow:
    """Log-odds of the answer: log p/(1-p), p = π(y)^(1/|y|)."""
    mean = rows.mean(logp).clamp(max=-1e-7)  # p = 1 has infinite odds
    near, far = (-torch.expm1(mean)).log(), torch.log1p(-mean.exp())
    return mean - torch.where(mean > -math.log(2), near, far)


def divergence_score(
    logp: PerToken,
    ref_logp: PerToken,
    rows: Rows,
    *,
    divergence: Literal["reverse_kl", "forward_kl", "jensen_shannon", "alpha"] = "jensen_shannon",
    alpha: float = 0.5,
) -> PerRow:
    """Implicit reward of the answer under an f-divergence, over β: f'(u), u = π(y)/π_ref(y).

        f'(u) = log u, 1 - 1/u, log 2u/(1+u) or (1 - u^-α)/α

    Settings:
        divergence: name of the divergence, in that order: reverse_kl, forward_kl, jensen_shannon or alpha.
        alpha: α, read by the divergence alpha alone; above 0 and at most 1 (the forward KL), 0.3 to 0.7 in the paper.
    """
    log_u = rows.sum(logp - ref_logp)
    match divergence:
        case "reverse_kl":
            return log_u
        case "forward_kl":
            return 1 - bounded_exp(-log_u)
        case "jensen_shannon":
            return math.log(2) + logsigmoid(log_u)
        case _:
            return (1 - bounded_exp(-alpha * log_u)) / alpha


def on_policy_weight(logp: PerToken, logits: PerTokenVocab, rows: Rows) -> PerRow:
    """Weight of an answer by how likely the policy itself would write it: about 1 for its own samples.

        exp(1/|y| Σ_t [log π(y_t) - log Σ_v π(v)²])

    No gradient flows through it.
    """
    expected = (2 * logits.detach().log_softmax(-1)).logsumexp(-1)
    return bounded_exp(rows.mean(logp.detach() - expected))


def times_row_weight(score: PerRow, row_weight: PerRow) -> PerRow:
    """Score of the row times the weight of the row: w s."""
    return row_weight * score


def at_first(value: PerToken, rows: Rows) -> PerRow:
    """Value before the first token of the answer, which is that of the prompt."""
    return rows.sum(torch.where(rows.position() == 0, value, 0))


def at_last(value: PerToken, rows: Rows) -> PerRow:
    """Value before the last token of the answer."""
    return rows.sum(torch.where(rows.position() == rows.spread(rows.length()) - 1, value, 0))
