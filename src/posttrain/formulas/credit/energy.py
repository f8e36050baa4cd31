"""Rewards less what a growing energy loss costs."""

from __future__ import annotations

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def reward_minus_energy(
    reward: PerRow,
    old_energy: PerToken,
    ref_energy: PerToken,
    group: PerRow,
    author: PerRow,
    written: Rows,
    *,
    price: float = 2.0,
) -> PerRow:
    """Reward less the distance of the answer's mean energy loss from that of the reference on its own answer.

        R - η |mean_t E_π(y_t) - mean_t E_ref(y_ref,t)|

    y_ref are the answers of author 1 to the same prompt; their means are averaged.

    Settings:
        price: η, price of a unit of energy; 0 or more, where 0 is PPO; 2 in the authors' code.
    """
    usual = Groups.of(group, author == 1).mean(written.mean(ref_energy))
    return reward - price * (written.mean(old_energy) - usual).abs()
