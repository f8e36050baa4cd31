"""Advantages of whole answers, relative to other answers to the same prompt.

Rows without trained tokens (opponents, greedy baselines) never enter the statistics of a group.
"""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import PerRow, PerToken, Scalar, State
from posttrain.core.tensors import Rows


def group_standardise(reward: PerRow, group: PerRow, rows: Rows, *, eps: float = 1e-6, ddof: int = 1) -> PerToken:
    """(R - mean) / (std + ε) of the group; 0 where all answers earn the same, and for a group of one.

    The variance divides by the size of the group less `ddof`.
    """
    groups = Groups.of(group, rows.trained)
    std = groups.std(reward, ddof)
    centred = reward - groups.mean(reward)
    return rows.spread(torch.where(std > 1e-12, centred / (std + eps), 0))


def group_centre(reward: PerRow, group: PerRow, rows: Rows) -> PerToken:
    """R - mean of the group."""
    return rows.spread(reward - Groups.of(group, rows.trained).mean(reward))


def leave_one_out(reward: PerRow, group: PerRow, rows: Rows) -> PerToken:
    """R_i - mean of the other answers = G/(G-1) (R_i - mean of all); 0 for a group of one."""
    groups = Groups.of(group, rows.trained)
    n = groups.size()
    return rows.spread((reward - groups.mean(reward)) * n / (n - 1).clamp(min=1))


def minus_greedy(token_return: PerToken, reward: PerRow, group: PerRow, author: PerRow, rows: Rows) -> PerToken:
    """Return to go minus the reward of the greedy answer (author 1) to the same prompt."""
    greedy = Groups.of(group, author == 1)
    return torch.where(rows.mask, token_return - greedy.mean(reward)[rows.index], 0)


def win_minus_kl(reward: PerRow, old_logp: PerToken, ref_logp: PerToken, rows: Rows, *, tau: float = 0.1) -> PerToken:
    """P(y beats the opponent) - 1/2 - τ log π(y)/π_ref(y), the same at every token of the answer."""
    return rows.spread(reward - 0.5 - tau * rows.sum(old_logp - ref_logp))


def running_mean(state: State | None, reward: PerRow, rows: Rows, *, decay: float = 0.9) -> tuple[State, Scalar]:
    """Moving average (decay) of the mean reward of the batches before; 0 at first, so it never sees its own batch."""
    before = 0.0 if state is None else state["mean"]
    seen = 0.0 if state is None else state["weight"]
    mean = float(reward[rows.trained].mean()) if rows.trained.any() else before
    weight = decay * seen + (1 - decay)
    moved = {"mean": (decay * seen * before + (1 - decay) * mean) / weight, "weight": weight}
    return moved, reward.new_tensor(before)


def minus_baseline(token_return: PerToken, baseline: Scalar, rows: Rows) -> PerToken:
    """G_t - b"""
    return torch.where(rows.mask, token_return - baseline, 0)
