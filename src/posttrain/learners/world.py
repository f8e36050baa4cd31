"""What a world is: actions, steps, a goal, a view in words and, where its states can be listed, an exact table."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

State = Hashable
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """What one action led to. `done`: the episode ends here, and nothing is earned behind it."""

    state: State
    reward: float
    done: bool


@dataclass(frozen=True)
class Table:
    """A world whose states are listed, exactly.

    `P` [S, A, S]: probability of the next state; `R` [S, A]: expected reward. An end keeps its state and earns 0.
    `start` [S]: probability that an episode begins there.
    """

    states: tuple[State, ...]
    P: Floats
    R: Floats
    terminal: NDArray[np.bool_]
    start: Floats
    discount: float

    def index(self) -> dict[State, int]:
        """Return the row of each state."""
        return {state: i for i, state in enumerate(self.states)}


class World(Protocol):
    """A world that a learner acts in. States are hashable; the random choices of an episode derive from its seed."""

    actions: tuple[str, ...]
    goal: str
    discount: float

    def reset(self, seed: int) -> State:
        """Begin an episode and return its first state."""

    def step(self, action: int) -> Step:
        """Take an action, by its number."""

    def describe(self, state: State) -> str:
        """Say in words what a state is like."""

    def table(self) -> Table:
        """Return the exact table. Raises ConfigError where the states cannot be listed."""


class Narrated(World, Protocol):
    """A world that says what a step has done. `goals`: everything that can be done; `subgoals`: what leads to the goal,
    in order.
    """

    goals: tuple[str, ...]
    subgoals: tuple[str, ...]

    def caption(self, state: State, action: int, after: State) -> str:
        """Say what a step has done: one of the goals, or nothing."""
