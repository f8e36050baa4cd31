"""Advantages that know which actions the data of a reward model supports."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar, State
from posttrain.core.rows import Rows


def supported(behaviour_logp: PerToken, *, floor: float = 1e-4) -> PerToken:
    """1 for a token that the data's language model gives at least the probability ε, else 0.

    Settings:
        floor: ε, probability below which a token has no support; 0 (every token has) to 1, 1e-4 to 1e-3 is usual.
    """
    return (behaviour_logp.exp() >= floor).to(behaviour_logp.dtype)


def lowest_reward(state: State | None, reward: PerRow, rows: Rows, *, margin: float = 0.0) -> tuple[State, Scalar]:
    """The lowest reward of this and all earlier batches, less a margin: the value of a token without support.

    Settings:
        margin: how much less it is; 0 or more, in units of the reward.
    """
    seen = reward[rows.counted].tolist() + ([] if state is None else [state["lowest"]])
    lowest = min(seen, default=0.0)
    return ({"lowest": lowest} if seen else state or {}), reward.new_tensor(lowest - margin)


def supported_gae(
    token_reward: PerToken,
    old_value: PerToken,
    support: PerToken,
    lowest: Scalar,
    rows: Rows,
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
) -> PerToken:
    """Advantages by GAE under the behaviour-supported Bellman operator.

        δ_t = r_t + γ V_{t+1} - V_t,    A_t = δ_t + γλ A_{t+1}     where the token has support
        A_t = Q_min - V_t                                          where it has none

    Settings:
        gamma: γ, discount of later rewards; 0 to 1, where 1 does not discount.
        lam: λ, weight of sampled rewards against the critic; 0 (one step) to 1 (the whole answer), usually 0.95.
    """
    inside = token_reward + gamma * rows.next(old_value) - old_value
    error = torch.where(support > 0, inside, lowest - old_value)
    return rows.discount(error, support * (gamma * lam))
