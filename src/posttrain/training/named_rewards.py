"""The rewards that a run file names, or that were given in Python under its names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from posttrain.rewards.reward import Reward, resolve

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def named_rewards(file: RunFile) -> tuple[Reward, ...]:
    """Make the rewards of a run file. Raises ConfigError for one that cannot be loaded or called."""
    made = []
    for entry in file.rewards:
        given = file.given.get(entry.path)
        if isinstance(given, Reward):
            made.append(replace(given, weight=entry.weight))
        else:
            own = {"path": given or entry.path, "weight": entry.weight, "signature": entry.signature}
            made.append(resolve({**entry.settings, **own}))
    return tuple(made)
