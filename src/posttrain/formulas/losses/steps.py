"""Steps of a solution that are right or wrong. The trained tokens of a row are those that complete a step."""

from __future__ import annotations

import torch
from torch.nn.functional import logsigmoid, softplus

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def step_cross_entropy(prefix_score: PerToken, step_label: PerToken) -> PerToken:
    """Cross-entropy of a step: -l log p - (1-l) log(1-p), p = σ(s(y_≤t))."""
    return softplus(prefix_score) - step_label * prefix_score


def step_accuracy(prefix_score: PerToken, step_label: PerToken) -> PerToken:
    """Whether a step is called right that is more likely right than wrong, or wrong one that is not: 1, else 0."""
    return ((prefix_score > 0) == (step_label > 0.5)).to(prefix_score.dtype)


def outcome_cross_entropy(score: PerRow, label: PerRow) -> PerRow:
    """Cross-entropy of a whole answer: -l log p - (1-l) log(1-p), p = σ(s(y))."""
    return softplus(score) - label * score


def outcome_accuracy(score: PerRow, label: PerRow) -> PerRow:
    """Whether a right answer is called right, or a wrong one wrong: 1, else 0."""
    return ((score > 0) == (label > 0.5)).to(score.dtype)


def least_step(prefix_score: PerToken, rows: Rows) -> PerRow:
    """Score of a solution: the least probability of its steps, min_t σ(s_t)."""
    least = prefix_score.new_ones(rows.count)
    return least.scatter_reduce(0, rows.index[rows.mask], prefix_score.sigmoid()[rows.mask], "amin")


def every_step(prefix_score: PerToken, rows: Rows) -> PerRow:
    """Log-probability that all steps of a solution are right, if they are independent: Σ_t log σ(s_t)."""
    return rows.sum(logsigmoid(prefix_score))


def last_step(prefix_score: PerToken, rows: Rows) -> PerRow:
    """Score of a solution: the probability of its last step, σ(s_T)."""
    last = rows.position() == rows.spread(rows.length()) - 1
    return rows.sum(torch.where(last, prefix_score.sigmoid(), 0))


def mean_step(prefix_score: PerToken, rows: Rows) -> PerRow:
    """Score of a solution: the mean probability of its steps."""
    return rows.mean(prefix_score.sigmoid())


SOLUTION_SCORES = {"min": least_step, "product": every_step, "last": last_step, "mean": mean_step}
