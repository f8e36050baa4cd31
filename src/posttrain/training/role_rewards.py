"""Rewards from models of the run."""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.core.parts import PerRow
from posttrain.rewards.reward import Reward
from posttrain.roles.protocol import TextRole
from posttrain.roles.reward import WEIGHTS, RoleReward

REWARD = "reward"  # the role of a reward model


def model_score(model_reward: PerRow) -> PerRow:
    """Return the score of the reward model."""
    return model_reward


def as_rewards(roles: Mapping[str, TextRole]) -> tuple[Reward, ...]:
    """Return a reward for each role that scores answers, named after the role."""
    return tuple(
        Reward(name, RoleReward(name, roles[name]), weight, whole_batch=True)
        for name, weight in WEIGHTS.items()
        if name in roles
    )
