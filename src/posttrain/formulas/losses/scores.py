"""What a row is worth to its loss: scores per token and per row."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch.nn.functional import logsigmoid

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerRow, PerToken, PerTokenVocab
from posttrain.core.tensors import Rows


def nll(logp: PerToken) -> PerToken:
    """-log π(y_t)"""
    return -logp


def ref_token_logp(ref_logp: PerToken) -> PerToken:
    """log π_ref(y_t)"""
    return ref_logp


def sum_logp(logp: PerToken, rows: Rows) -> PerRow:
    """log π(y)"""
    return rows.sum(logp)


def mean_logp(logp: PerToken, rows: Rows) -> PerRow:
    """log π(y) / |y|"""
    return rows.mean(logp)


def log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> PerRow:
    """log π(y)/π_ref(y)"""
    return rows.sum(logp - ref_logp)


def mean_log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> PerRow:
    """log π(y)/π_ref(y) / |y|"""
    return rows.mean(logp - ref_logp)


def token_log_ratio(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """log π(y_t)/π_ref(y_t)"""
    return logp - ref_logp


def between(one: PerToken, two: PerToken, *, share: float = 0.5) -> PerToken:
    """The log-prob of the geometric mixture, up to its constant: (1 - share) log π_1 + share log π_2"""
    return (1 - share) * one + share * two


def row_score(score: PerRow) -> PerRow:
    """The score of the reward model."""
    return score


def row_reward(reward: PerRow) -> PerRow:
    """The reward of the row."""
    return reward


def row_safety(safe: PerRow) -> PerRow:
    """1 if the answer is safe, 0 if not."""
    return safe


def log_odds(logp: PerToken, rows: Rows) -> PerRow:
    """log p/(1-p), p = π(y)^(1/|y|)"""
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
    """f'(u), u = π(y)/π_ref(y), by `divergence`: log u, 1 - 1/u, log 2u/(1+u) or (1 - u^-α)/α"""
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
    """exp of the mean over tokens of log π(y_t) - log Σ_v π(v)²; no gradient"""
    usual = (2 * logits.detach().log_softmax(-1)).logsumexp(-1)
    return bounded_exp(rows.mean(logp.detach() - usual))


def times_row_weight(score: PerRow, row_weight: PerRow) -> PerRow:
    """w s"""
    return row_weight * score


def at_first(value: PerToken, rows: Rows) -> PerRow:
    """The value before the first token of the answer: that of the prompt."""
    return rows.sum(torch.where(rows.position() == 0, value, 0))


def at_last(value: PerToken, rows: Rows) -> PerRow:
    """The value before the last token of the answer."""
    return rows.sum(torch.where(rows.position() == rows.spread(rows.length()) - 1, value, 0))
