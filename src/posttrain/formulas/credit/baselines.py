"""Advantages of whole answers, relative to other answers to the same prompt.

Rows without trained tokens (opponents, greedy baselines) never enter the statistics of a group.
"""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PerRow, PerToken, Scalar, State
from posttrain.core.rows import Rows


def group_standardise(
    reward: PerRow, group: ComparedGroup, rows: Rows, *, eps: float = 1e-6, ddof: int = 1
) -> PerToken:
    """Standardised reward within the group of answers to a prompt, at every token of the answer.

        (R - mean) / (std + ε)

    It is 0 where all answers have the same reward, and for a group of one.

    Settings:
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-6 to 1e-4 is usual.
        ddof: degrees of freedom that the variance gives up; 0 divides by the size G of the group, 1 by G - 1.
    """
    return rows.spread(Groups.of(group, rows.counted).standardise(reward, eps, ddof))


def group_centre(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Reward less the mean of the group, at every token of the answer: R - mean."""
    return rows.spread(reward - Groups.of(group, rows.counted).mean(reward))


def leave_one_out(reward: PerRow, group: ComparedGroup, rows: Rows) -> PerToken:
    """Reward less the mean of the other answers of the group; 0 for a group of one.

    R_i - 1/(G-1) Σ_{j≠i} R_j = G/(G-1) (R_i - mean)
    """
    groups = Groups.of(group, rows.counted)
    n = groups.size()
    return rows.spread((reward - groups.mean(reward)) * n / (n - 1).clamp(min=1))


def minus_greedy(token_return: PerToken, reward: PerRow, group: PerRow, author: PerRow, rows: Rows) -> PerToken:
    """Reward to go less the reward of the greedy answer (author 1) to the same prompt."""
    greedy = Groups.of(group, author == 1)
    return torch.where(rows.mask, token_return - greedy.mean(reward)[rows.index], 0)


def win_minus_kl(reward: PerRow, old_logp: PerToken, ref_logp: PerToken, rows: Rows, *, tau: float = 0.1) -> PerToken:
    """Probability of beating the opponent less one half and the price of the KL, at every token of the answer.

        P(y ≻ y') - 1/2 - τ log π(y)/π_ref(y)

    Settings:
        tau: τ, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    return rows.spread(reward - 0.5 - tau * rows.sum(old_logp - ref_logp))


def running_mean(state: State | None, reward: PerRow, rows: Rows, *, decay: float = 0.9) -> tuple[State, Scalar]:
    """Moving average of the mean rewards of earlier batches, 0 at first. It never contains its own batch.

    Settings:
        decay: share of the moving average that a new batch leaves unchanged; 0 to 1, usually 0.9 to 0.99.
    """
    before = 0.0 if state is None else state["mean"]
    seen = 0.0 if state is None else state["weight"]
    mean = float(reward[rows.counted].mean()) if rows.counted.any() else before
    weight = decay * seen + (1 - decay)
    moved = {"mean": (decay * seen * before + (1 - decay) * mean) / weight, "weight": weight}
    return moved, reward.new_tensor(before)


def queue_mean(
    state: dict[str, list[float]] | None, reward: PerRow, rows: Rows, *, size: int = 1000
) -> tuple[dict[str, list[float]], Scalar]:
    """Mean of the latest rewards of earlier batches, first in, first out; 0 at first. It never contains its own batch.

    Settings:
        size: rewards that the queue holds; at least 1, several batches.
    """
    held = [] if state is None else state["rewards"]
    mean = sum(held) / max(len(held), 1)
    return {"rewards": [*held, *reward[rows.counted].tolist()][-size:]}, reward.new_tensor(mean)


def minus_baseline(token_return: PerToken, baseline: Scalar, rows: Rows) -> PerToken:
    """Reward to go less a baseline: G_t - b."""
    return torch.where(rows.mask, token_return - baseline, 0)
