"""Advantages of whole answers from their group, by other baselines and scales than those of GRPO and RLOO.

A group of one has advantage 0. Rows without trained tokens never enter the statistics of a group.
"""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import EQUAL, Groups
from posttrain.core.parts import ComparedGroup, PerRow, PerRowMany, PerToken
from posttrain.core.rows import Rows


def length_weighted_centre(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Reward less the mean of the group weighted by length: R_i - Σ_j |y_j| R_j / Σ_j |y_j|.

    It is the baseline of least variance where the squared gradient of log π(y) is in proportion to the length.
    """
    groups, length = Groups.of(group, rows.counted), rows.over_answer(rows.length()).to(reward.dtype)
    centred = reward - groups.mean(reward)  # so that equal rewards give exactly 0
    return rows.spread(centred - groups.sum(length * centred) / groups.sum(length).clamp(min=1))


def over_mean(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Centred reward over the mean size of the group's rewards: (R_i - mean) / mean |R|; 0 where nobody earned any.

    Where rewards are 0 and 1 the mean is the success rate.
    """
    groups = Groups.of(group, rows.counted)
    size = groups.mean(reward.abs())
    return rows.spread(torch.where(size > EQUAL, (reward - groups.mean(reward)) / size, 0))


def best_over_second(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Lead of the best answer over the second, 0 for all others: max_j R_j - max_{j≠i} R_j."""
    groups = Groups.of(group, rows.counted)
    best = reward == groups.max(reward)
    leader = rows.trained & best & (groups.sum(best.to(reward.dtype)) == 1) & (groups.size() > 1)
    second = Groups.of(group, rows.counted & ~best).max(reward)
    return rows.spread(torch.where(leader, reward - second, 0))


def rescaled_centre(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Centred reward, scaled up for the answers that teach nothing: α (R_i - mean).

    α is the number of answers over the number of those whose group has different rewards.
    """
    groups = Groups.of(group, rows.counted)
    teaches = rows.trained & (groups.std(reward, 0) > EQUAL)
    share = rows.counted.sum() / (rows.counted & teaches).sum().clamp(min=1)
    return rows.spread(torch.where(teaches, share * (reward - groups.mean(reward)), 0))


def decoupled_standardise(
    named_rewards: PerRowMany,
    reward_weights: PerRowMany,
    group: ComparedGroup,
    rows: Rows,
    *,
    eps: float = 1e-6,
    ddof: int = 1,
) -> PerToken:
    """Rewards that are standardised one by one within the group, summed by their weights, and standardised again.

        A_i = standardised over the batch: Σ_k w_k (R_ik - mean_k) / (std_k + ε)

    A reward that abstained about an answer adds nothing to it.

    Settings:
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-6 to 1e-4 is usual.
        ddof: degrees of freedom that the variance gives up; 0 divides by the size G of the group, 1 by G - 1.
    """
    total = torch.zeros_like(named_rewards[:, 0])
    for reward, weight in zip(named_rewards.T, reward_weights.T, strict=True):
        said = ~reward.isnan()
        standardised = Groups.of(group, rows.counted & said).standardise(reward, eps, ddof)
        total = total + torch.where(rows.trained & said, weight * standardised, 0)
    everybody = Groups.of(torch.zeros_like(group), rows.counted)
    return rows.spread(everybody.standardise(total, eps, ddof))
