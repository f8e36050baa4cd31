"""Several rewards, each of which is wanted up to a threshold: their multipliers, and credit that trades them."""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar, State
from posttrain.core.rows import Rows

FARTHEST = 40.0  # |μ| from which σ(μ) and tanh(μ) are whole numbers


def paid_if_known(reward: PerRow, rows: Rows) -> PerToken:
    """Token rewards: the reward at the last token, 0 before it and where the reward abstained."""
    return rows.at_last(torch.where(reward.isnan(), 0, reward))


def where_known(credit: PerToken, reward: PerRow, rows: Rows) -> PerToken:
    """Credit of the answers that have the reward, 0 where it abstained, so that nothing is learned from its absence."""
    return torch.where(reward.isnan()[rows.index], 0, credit)


def threshold_multiplier(
    state: State | None,
    reward: PerRow,
    rows: Rows,
    *,
    threshold: float = 0.5,
    constraint: Literal["at_least", "equal"] = "at_least",
    start: float = 0.0,
    rate: float = 0.1,
    momentum: float = 0.1,
) -> tuple[State, Scalar]:
    """Squashed Lagrange multiplier of a reward that should reach a threshold, or stay there.

        v ← m v + (mean r - θ),    μ ← μ - α v,    σ(μ) for at_least, tanh(μ) for equal

    It is descent on f(μ) (J - θ) without the factor f'(μ). A batch in which the reward is unknown moves nothing.

    Settings:
        threshold: θ, mean reward that is wanted; any number, where .inf wants ever more at any KL.
        constraint: name of the rule, at_least (the paper's μ: enough is enough) or equal (ξ: also pushes back).
        start: first μ; any number, where 0 gives σ = 0.5 and tanh = 0.
        rate: α, step size of μ; above 0, 0.01 to 0.1 in the paper.
        momentum: m, share of the last step that is taken again; 0 up to but not including 1, 0.1 in the paper.
    """
    before, step = (start, 0.0) if state is None else (state["mu"], state["step"])
    known = rows.counted & ~reward.isnan()
    if known.any():
        step = momentum * step + min(max(float(reward[known].mean()) - threshold, -1e9), 1e9)
        before = min(max(before - rate * step, -FARTHEST), FARTHEST)
    squashed = torch.sigmoid if constraint == "at_least" else torch.tanh
    return {"mu": before, "step": step}, squashed(reward.new_tensor(before))


def traded(kl_credit: PerToken, reward_credit: PerToken, multiplier: Scalar) -> PerToken:
    """Credit of the KL and of one reward, traded by its multiplier: (1 - f) A_KL + f A."""
    return (1 - multiplier) * kl_credit + multiplier * reward_credit


def plus(one: PerToken, two: PerToken) -> PerToken:
    """Credit for two things at once: A_1 + A_2."""
    return one + two
