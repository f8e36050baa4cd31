"""Distances of sampled answers from a target distribution p(y) = P(y)/Z, P(y) = π_ref(y) e^{r(y)/β}."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch.nn.functional import logsigmoid

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.maths.groups import logsumexp_over, peers
from posttrain.core.parts import ComparedGroup, PerRow, PerToken
from posttrain.core.rows import Rows


def log_weight(
    reward: PerRow, old_logp: PerToken, ref_logp: PerToken, group: ComparedGroup, rows: Rows, *, beta: float = 0.1
) -> PerRow:
    """Log of the importance weight p(y)/π_old(y). Z is the mean of P/π_old over the answers to the prompt.

    Settings:
        beta: β, reward that a nat of KL to the reference costs; above 0, larger stays closer.
    """
    x = reward / beta + rows.sum(ref_logp - old_logp)
    same = peers(group, rows.trained)
    return x - logsumexp_over(x, same) + same.sum(1).to(x.dtype).log()


def importance_minus_one(log_weight: PerRow, rows: Rows) -> PerToken:
    """Importance weight less one, at every token of the answer: p/π - 1."""
    return rows.spread(bounded_exp(log_weight) - 1)


def divergence_reward(
    log_weight: PerRow,
    *,
    divergence: Literal[
        "forward_kl", "reverse_kl", "jensen_shannon", "total_variation", "forward_chi_squared", "reverse_chi_squared"
    ] = "jensen_shannon",
) -> PerRow:
    """Reward whose policy gradient minimises an f-divergence: -f'(t), t = π/p.

        forward_kl 1/t,    reverse_kl -log t - 1,    jensen_shannon -log 2t/(1+t),    total_variation -½ sign(log t)
        forward_chi_squared 1/t² - 1,    reverse_chi_squared 2 - 2t

    Settings:
        divergence: name of the divergence, one of the six above.
    """
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
    """Posterior probability of an answer among the K answers to its prompt, times K, at every token.

        K softmax(a log π_ref(y) + r(y)/λ)

    Settings:
        temperature: λ, in units of the reward; above 0, 0.1 to 5, where larger weighs the answers more alike.
        prior: a, weight of log π_ref; 0 for answers sampled from the reference to 1 for answers of any origin.
    """
    x = reward / temperature + prior * rows.sum(ref_logp)
    same = peers(group, rows.trained)
    return rows.spread(same.sum(1) * torch.exp(x - logsumexp_over(x, same)))
