"""Environments of gymnasium with a finite list of actions, Minigrid's included, as worlds.

A state is what is observed: a number, a text, or numbers that are rounded, so that a table can hold them. Its words are
those of the environments `gymnasium` and `minigrid` (posttrain.environments).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from posttrain.environments.bundled.gymnasium import Gymnasium as Player
from posttrain.environments.bundled.minigrid import Minigrid
from posttrain.errors import ConfigError
from posttrain.learners.world import State, Step, Table, World


class Gymnasium(World):
    """A registered environment. Its table is exact where it has one of its own (`env.P`).

    Settings:
        id: name of the environment, such as FrozenLake-v1 or MiniGrid-DoorKey-5x5-v0; any with a list of actions.
        options: keyword arguments of gymnasium.make; any that the environment takes.
        actions: names of the actions in their order; null takes known names, else the numbers from 0.
        task: what is to be done, in words; null is the name of the environment.
        digits: digits behind the point that observed numbers are rounded to; 0 to 6.
        discount: how much a step later is worth; 0.9 to 1.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 -- gymnasium's word
        options: Mapping[str, Any] | None = None,
        actions: Sequence[str] | None = None,
        task: str | None = None,
        digits: int = 1,
        discount: float = 0.95,
    ) -> None:
        grid = id.startswith("MiniGrid")
        self.player = Minigrid(id=id, options=options) if grid else Player(id=id, options=options, actions=actions)
        self.actions = tuple(self.player.names)
        self.goal = task or f"do well in {id}"
        self.digits = digits
        self.discount = discount
        self._words: dict[State, str] = {}  # of the states that were met

    def reset(self, seed: int) -> State:
        self.player.at, _ = self.player.world.reset(seed=seed % 2**31)
        return self._state()

    def step(self, action: int) -> Step:
        """Take an action. An episode that is cut at the environment's limit of steps ends there, too."""
        self.player.at, reward, ended, cut, _ = self.player.world.step(self.player.first + action)
        return Step(self._state(), float(reward), bool(ended or cut))

    def describe(self, state: State) -> str:
        return self._words.get(state, f"You observe {state}.")

    def table(self) -> Table:
        inner = self.player.world.unwrapped
        if not hasattr(inner, "P"):
            raise ConfigError(f"{self.player.world.spec.id} has no table of its own; learn by acting in it")
        size, count = len(inner.P), len(self.actions)
        P, R, terminal = np.zeros((size, count, size)), np.zeros((size, count)), np.zeros(size, dtype=np.bool_)
        for state, moves in inner.P.items():
            for action, outcomes in moves.items():
                for p, after, reward, ended in outcomes:
                    P[state, action, after] += p
                    R[state, action] += p * reward
                    terminal[after] |= ended
        P[terminal], R[terminal] = 0.0, 0.0
        P[terminal, :, terminal] = 1.0
        start = np.asarray(inner.initial_state_distrib, dtype=np.float64)
        return Table(tuple(range(size)), P, R, terminal, start / start.sum(), self.discount)

    def _state(self) -> State:
        """The last observation as a state, whose words are remembered."""
        words = self.player.told()
        at = self.player.at
        state: State = words if isinstance(at, Mapping | str) else _rounded(at, self.digits)
        self._words[state] = words
        return state


def _rounded(observed: Any, digits: int) -> State:
    """Observed numbers as a state: one whole number as it is, several as a tuple."""
    values = np.asarray(observed)
    if values.ndim == 0:
        return int(values)
    return tuple(round(float(x), digits) for x in values.ravel())
