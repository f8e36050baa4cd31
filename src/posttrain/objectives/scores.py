"""What a row is worth to its loss: scores per token and per row."""

from __future__ import annotations

from posttrain.parts import PerRow, PerToken
from posttrain.tensors import Rows


def nll(logp: PerToken) -> PerToken:
    """-log π(y_t)"""
    return -logp


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


def row_score(score: PerRow) -> PerRow:
    """The score of the reward model."""
    return score
