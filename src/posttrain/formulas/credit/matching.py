"""Towards a target law p(y) = P(y)/Z, P(y) = π_ref(y) e^{r(y)/β}: how far each sampled answer is from it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch.nn.functional import logsigmoid

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.maths.groups import logsumexp_over, peers
from posttrain.core.parts import PerRow, PerToken
from posttrain.core.tensors import Rows


def log_weight(
    reward: PerRow, old_logp: PerToken, ref_logp: PerToken, group: PerRow, rows: Rows, *, beta: float = 0.1
) -> PerRow:
    """log p(y)/π_old(y), with Z the mean of P/π_old over the answers to the prompt"""
    x = reward / beta + rows.sum(ref_logp - old_logp)
    same = peers(group, rows.trained)
    return x - logsumexp_over(x, same) + same.sum(1).to(x.dtype).log()


def importance_minus_one(log_weight: PerRow, rows: Rows) -> PerToken:
    """p/π - 1"""
    return rows.spread(bounded_exp(log_weight) - 1)


def divergence_reward(
    log_weight: PerRow,
    *,
    divergence: Literal[
        "forward_kl", "reverse_kl", "jensen_shannon", "total_variation", "forward_chi_squared", "reverse_chi_squared"
    ] = "jensen_shannon",
) -> PerRow:
    """-f'(t), t = π/p, by `divergence`: 1/t, -log t - 1, -log 2t/(1+t), -½ sign(log t), 1/t² - 1 or 2 - 2t"""
    match divergence:
        case "forward_kl":
            return bounded_exp(log_weight)
        case "reverse_kl":
            return log_weight - 1
        case "jensen_shannon":
            return -math.log(2) - logsigmoid(-log_weight)
        case "total_variation":
            return 0.5 * log_weight.sign()
        case "forward_chi_squared":
            return bounded_exp(2 * log_weight) - 1
        case _:
            return 2 - 2 * bounded_exp(-log_weight)


def posterior(
    reward: PerRow,
    ref_logp: PerToken,
    group: PerRow,
    rows: Rows,
    *,
    temperature: float = 1.0,
    prior: float = 1.0,
) -> PerToken:
    """K softmax over the K answers to the prompt of a log π_ref(y) + r(y)/λ; a = prior, λ = temperature"""
    x = reward / temperature + prior * rows.sum(ref_logp)
    same = peers(group, rows.trained)
    return rows.spread(same.sum(1) * torch.exp(x - logsumexp_over(x, same)))
