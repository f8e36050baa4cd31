"""Losses of several answers to one prompt. A list counts by its size: with lists of one size, the mean over rows is the
mean over lists."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import logsumexp_over, peers
from posttrain.core.parts import PerRow
from posttrain.core.tensors import Rows


def plackett_luce(score: PerRow, rank: PerRow, group: PerRow, rows: Rows, *, beta: float = 0.1) -> PerRow:
    """-K log [e^{β s_k} / Σ_{j not above k} e^{β s_j}] for each of the K answers of a list"""
    z, same = beta * score, peers(group, rows.trained)
    below = same & (rank[None] >= rank[:, None])
    return same.sum(1) * (logsumexp_over(z, below) - z)


def list_reverse_kl(
    score: PerRow, reward: PerRow, group: PerRow, rows: Rows, *, beta: float = 0.5, reward_scale: float = 0.5
) -> PerRow:
    """K q (log q - log p): KL(q || p) of a list; q = softmax(β s), p = softmax(r / reward scale)"""
    same = peers(group, rows.trained)
    log_q, log_p = (x - logsumexp_over(x, same) for x in (beta * score, reward / reward_scale))
    return same.sum(1) * log_q.exp() * (log_q - log_p)


def best_nll(score: PerRow, rank: PerRow, group: PerRow, rows: Rows) -> PerRow:
    """-K s of the best answer of a list, 0 for the others: with a log-prob as the score, its NLL"""
    return -peers(group, rows.trained).sum(1) * torch.where(rank == 0, score, 0)
