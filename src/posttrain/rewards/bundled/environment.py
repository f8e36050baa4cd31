"""What the environment of the run said of each turn."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.rewards.verdicts import Turns


def environment(completions: Sequence[str], turn_rewards: Sequence[Sequence[float | None]]) -> list[Turns | None]:
    """Give the rewards of an episode's turns, whose sum is its reward; none where the environment said nothing.

    A run with an environment has this reward with weight 1, unless `rewards` names it: [{environment: 0.5}].
    """
    assert len(completions) == len(turn_rewards)
    return [
        None if all(x is None for x in turns) else Turns(0.0 if x is None else x for x in turns)
        for turns in turn_rewards
    ]
