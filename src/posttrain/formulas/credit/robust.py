"""Weights of prompts under the worst distribution of prompts near that of the data."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PerRow, PerToken
from posttrain.core.rows import Rows
from posttrain.formulas.credit.pairs import worst_case


def worst_prompts(reward: PerRow, group: ComparedGroup, rows: Rows, *, radius: float = 0.1) -> PerRow:
    """Weight n q of each answer's prompt under the distribution q of the n prompts that is worst for the policy.

        q = argmin Σ_x q_x mean_i R(x, y_i),    TV(q, 1/n) <= ρ

    Settings:
        radius: ρ, share of the weight that may move; 0 (plain mean) to 1 (the worst prompt), 0.1 to 0.8 in the paper.
    """
    prompts, index = torch.unique(group, return_inverse=True)
    mean = Groups.of(group, rows.counted).mean(reward)
    loss = -mean.new_zeros(len(prompts)).index_copy(0, index, mean)
    return worst_case(loss, radius=radius)[index]


def times_prompt_weight(credit: PerToken, prompt_weight: PerRow, rows: Rows) -> PerToken:
    """Advantages times the weight of their prompt."""
    return credit * rows.spread(prompt_weight)
