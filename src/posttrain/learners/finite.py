"""A world whose states can be listed: from its outcomes follow both the episodes and the exact table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar, TypeVar

import numpy as np

from posttrain.errors import ConfigError
from posttrain.learners.world import State, Step, Table

Drawn = TypeVar("Drawn", bound=tuple[Any, ...])
Outcome = tuple[float, State, float]  # probability, next state, reward


class Finite(ABC):
    """A world that says where it begins, what an action may lead to, and which states are ends."""

    actions: tuple[str, ...]
    goal: str
    discount: float = 0.95
    longest: ClassVar[int] = 100_000  # states that a table lists at most

    def __init__(self) -> None:
        self._state: State = None
        self._chance = Random(0)  # noqa: S311  of the episode that runs

    @abstractmethod
    def starts(self) -> Sequence[tuple[float, State]]:
        """List where an episode may begin, with probabilities that add up to 1."""

    @abstractmethod
    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        """List what an action may lead to, with probabilities that add up to 1."""

    @abstractmethod
    def ends(self, state: State) -> bool:
        """Whether an episode ends in this state."""

    @abstractmethod
    def describe(self, state: State) -> str:
        """Say in words what a state is like."""

    def reset(self, seed: int) -> State:
        """Begin an episode and return its first state."""
        self._chance = Random(seed)  # noqa: S311
        self._state = _drawn(self._chance, self.starts())[1]
        return self._state

    def step(self, action: int) -> Step:
        """Take an action, by its number."""
        _, self._state, reward = _drawn(self._chance, self.outcomes(self._state, action))
        return Step(self._state, reward, self.ends(self._state))

    def table(self) -> Table:
        """Return the exact table of all states that can be reached, in the order in which they are found."""
        number = {state: i for i, state in enumerate(dict.fromkeys(state for _, state in self.starts()))}
        found = list(number)
        edges = []
        for state in found:  # which grows meanwhile
            for action in () if self.ends(state) else range(len(self.actions)):
                for p, after, reward in self.outcomes(state, action):
                    if after not in number:
                        number[after] = len(found)
                        found.append(after)
                        if len(found) > self.longest:
                            raise ConfigError(f"{type(self).__name__} has over {self.longest} states: no table")
                    edges.append((number[state], action, number[after], p, reward))
        return self._filled(found, number, edges)

    def _filled(
        self, found: list[State], number: dict[State, int], edges: list[tuple[int, int, int, float, float]]
    ) -> Table:
        size, terminal = len(found), np.array([self.ends(state) for state in found])
        P, R, start = np.zeros((size, len(self.actions), size)), np.zeros((size, len(self.actions))), np.zeros(size)
        P[terminal, :, terminal] = 1.0
        for i, action, j, p, reward in edges:
            P[i, action, j] += p
            R[i, action] += p * reward
        for p, state in self.starts():
            start[number[state]] += p
        return Table(tuple(found), P, R, terminal, start, self.discount)


def _drawn(chance: Random, choices: Sequence[Drawn]) -> Drawn:
    """Draw one of several tuples that begin with their probability."""
    return choices[0] if len(choices) == 1 else chance.choices(choices, [c[0] for c in choices])[0]
