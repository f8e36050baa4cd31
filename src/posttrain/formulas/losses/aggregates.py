"""From the numbers of an answer's tokens to one number: a switch of its own, whatever the score and the loss."""

from __future__ import annotations

import torch

from posttrain.core.parts import PairIndex, PerRow, PerToken
from posttrain.core.tensors import Rows


def summed(x: PerToken, rows: Rows) -> PerRow:
    """Σ_t x_t"""
    return rows.sum(x)


def averaged(x: PerToken, rows: Rows) -> PerRow:
    """1/|y| Σ_t x_t"""
    return rows.mean(x)


def decayed(x: PerToken, rows: Rows, *, gamma: float = 0.98) -> PerRow:
    """Σ_t γ^t x_t, t from 0"""
    return rows.sum(gamma ** rows.position() * x)


def masked(x: PerToken, relevance: PerToken, rows: Rows, *, threshold: float = 0.5) -> PerRow:
    """Σ_t x_t over the tokens whose relevance exceeds `threshold`"""
    return rows.sum(torch.where(relevance > threshold, x, 0))


def in_common(x: PerToken, rows: Rows, pairs: PairIndex, *, beyond: float = 0.5) -> PerRow:
    """Σ_t x_t, times `beyond` where the other answer of the pair has ended already"""
    own = rows.length()
    shorter = own.scatter_reduce(0, pairs.flatten(), own[pairs].amin(1).repeat_interleave(2), "amin")
    return rows.sum(torch.where(rows.position() < rows.spread(shorter), x, beyond * x))
