"""Advantages from rewards of the steps of an answer."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PerToken
from posttrain.core.rows import Rows


def standardised_steps(
    dense_reward: PerToken, group: ComparedGroup, rows: Rows, *, eps: float = 1e-6, ddof: int = 1
) -> PerToken:
    """Sum of the standardised rewards of the steps that end at this token or later.

        A_t = Σ_{k: step k ends at or after t} (r_k - mean) / (std + ε)

    Mean and deviation are those of all steps of all answers to the prompt. A step ends where a reward is other than 0.

    Settings:
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-6 to 1e-4 is usual.
        ddof: degrees of freedom that the variance gives up; 0 divides by the number n of steps, 1 by n - 1.
    """
    ends = rows.mask & (dense_reward != 0)
    standardised = Groups.of(group[rows.index], ends).standardise(dense_reward, eps, ddof)
    return rows.discount(torch.where(ends, standardised, 0), 1.0)
