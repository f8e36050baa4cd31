"""Aggregates of the numbers of an answer's tokens into one number, independent of the score and the loss."""

from __future__ import annotations

import torch

from posttrain.core.parts import PairIndex, PerRow, PerToken
from posttrain.core.rows import Rows


def summed(x: PerToken, rows: Rows) -> PerRow:
    """Sum over the tokens of the answer: Σ_t x_t."""
    return rows.sum(x)


def averaged(x: PerToken, rows: Rows) -> PerRow:
    """Mean over the tokens of the answer: 1/|y| Σ_t x_t."""
    return rows.mean(x)


def decayed(x: PerToken, rows: Rows, *, gamma: float = 0.98) -> PerRow:
    """Sum over the tokens of the answer, each discounted by its position: Σ_t γ^t x_t, t from 0.

    Settings:
        gamma: γ, factor from each token to the next; above 0 and at most 1 (no decay), 0.95 to 0.98 in D2PO.
    """
    return rows.sum(gamma ** rows.position() * x)


def masked(x: PerToken, relevance: PerToken, rows: Rows, *, threshold: float = 0.5) -> PerRow:
    """Sum over the tokens whose relevance exceeds a threshold.

    Settings:
        threshold: relevance that a token must exceed to count; 0 to 1 where relevances lie in that range.
    """
    return rows.sum(torch.where(relevance > threshold, x, 0))


def in_common(x: PerToken, rows: Rows, pairs: PairIndex, *, beyond: float = 0.5) -> PerRow:
    """Sum over the tokens of the answer, where those past the end of the other answer of the pair count less.

        Σ_{t<n} x_t + α Σ_{t>=n} x_t,    n = length of the shorter answer

    Settings:
        beyond: α, weight of the tokens past the end of the shorter answer; 0 (cut off) to 1 (a plain sum).
    """
    own = rows.length()
    shorter = own.scatter_reduce(0, pairs.flatten(), own[pairs].amin(1).repeat_interleave(2), "amin")
    return rows.sum(torch.where(rows.position() < rows.spread(shorter), x, beyond * x))


def without_ends(x: PerToken, rows: Rows, *, end: float = 0.0) -> PerRow:
    """Sum over the tokens of the answer, where the one that ends each turn of the model counts less.

        Σ_t x_t + (e - 1) Σ_{t ends a turn} x_t

    A turn ends where no trained token follows: in an answer that was cut off that is a token of the text.

    Settings:
        end: e, weight of the tokens that end a turn; 0 (left out, as in Llama 3) to 1 (a plain sum).
    """
    followed = torch.zeros_like(rows.mask)
    followed[:-1] = rows.mask[1:] & (rows.index[1:] == rows.index[:-1])
    return rows.sum(torch.where(followed, x, end * x))
