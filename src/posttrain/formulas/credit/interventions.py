"""Weights of answers by what an intervention changes in their reward."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def intervention_effect(reward: PerRow, group: PerRow, author: PerRow, rows: Rows) -> PerRow:
    """Effect of training on the reward of an answer, between 0 and 1 over the batch.

        (w - min w) / (max w - min w),    w = |R(x, y_init) - R(x, y)|

    y_init are the answers of author 1 to the same prompt; their rewards are averaged. It is 1 where all w are equal.
    """
    change = (Groups.of(group, author == 1).mean(reward) - reward).abs()
    trained = change[rows.counted]
    if not len(trained):
        return torch.ones_like(reward)
    low, high = trained.min(), trained.max()
    return torch.where(high > low, (change - low) / (high - low).clamp(min=1e-12), 1)


def times_effect(credit: PerToken, effect: PerRow, rows: Rows) -> PerToken:
    """Advantages times a weight of their answer, which multiplies its policy-gradient loss."""
    return credit * rows.spread(effect)
