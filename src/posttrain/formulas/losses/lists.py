"""Losses of several answers to one prompt. A list counts by its size: with lists of one size, the mean over rows is the
mean over lists.
"""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from posttrain.core.maths.groups import logsumexp_over, peers
from posttrain.core.parts import PerRow
from posttrain.core.rows import Rows


def plackett_luce(score: PerRow, rank: PerRow, group: PerRow, rows: Rows, *, beta: float = 0.1) -> PerRow:
    """Negative log-likelihood of the order of a list, one term for each of its K answers.

        -K log [e^{β s_k} / Σ_{j not above k} e^{β s_j}]

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    z, same = beta * score, peers(group, rows.trained)
    below = same & (rank[None] >= rank[:, None])
    return same.sum(1) * (logsumexp_over(z, below) - z)


def list_reverse_kl(
    score: PerRow, reward: PerRow, group: PerRow, rows: Rows, *, beta: float = 0.5, reward_scale: float = 0.5
) -> PerRow:
    """Reverse KL from the policy's distribution q over a list of K answers to that of the rewards.

        K q (log q - log p),    q = softmax(β s),    p = softmax(r / β_r)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        reward_scale: β_r, temperature of the rewards; above 0, in units of the reward, 0.5 in the paper.
    """
    same = peers(group, rows.trained)
    log_q, log_p = (x - logsumexp_over(x, same) for x in (beta * score, reward / reward_scale))
    return same.sum(1) * log_q.exp() * (log_q - log_p)


def best_nll(score: PerRow, rank: PerRow, group: PerRow, rows: Rows) -> PerRow:
    """Negative score of the best answer of a list, times the size of the list, and 0 for the other answers.

    With a log-prob as the score it is the negative log-likelihood of the best answer.
    """
    return -peers(group, rows.trained).sum(1) * torch.where(rank == 0, score, 0)


def all_pairs(score: PerRow, rank: PerRow, group: PerRow, rows: Rows) -> PerRow:
    """Mean logistic loss of all ordered pairs of a list of K answers, K times; answers of equal rank are no pair.

    -K / C(K,2) Σ_{i above j} log σ(s_i - s_j)
    """
    same = peers(group, rows.trained)
    above = same & (rank[:, None] < rank[None])
    pairs = same.to(score.dtype) @ above.sum(1).to(score.dtype)
    loss = (above * softplus(score[None] - score[:, None])).sum(1)
    return same.sum(1) * loss / pairs.clamp(min=1)


def choice(score: PerRow, rank: PerRow, group: PerRow, rows: Rows) -> PerRow:
    """Negative log-likelihood that the best answer of a list of K is chosen, K times.

    -K log [e^{s_best} / Σ_j e^{s_j}]
    """
    same = peers(group, rows.trained)
    return same.sum(1) * torch.where(rank == 0, logsumexp_over(score, same) - score, 0)
