"""A chain: a small reward lies near, a large one at the far end, and every step towards it may slip back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State


class Chain(Finite):
    """States 0 to length - 1; `right` moves on, `left` returns a step and earns a little at the beginning.

    Settings:
        length: number of states; at least 2.
        slip: probability that a step goes the other way; 0 to 0.5.
        near: reward of `left` in the first state; 0 to 0.1 leaves the far end better.
    """

    actions = ("left", "right")
    goal = "reach the far end of the chain, on the right"

    def __init__(self, *, length: int = 8, slip: float = 0.1, near: float = 0.01) -> None:
        super().__init__()
        self.length = length
        self.slip = slip
        self.near = near

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, 0)]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        slipped = [(self.slip, *self._moved(cast(int, state), 1 - action))] if self.slip else []
        return [(1 - self.slip, *self._moved(cast(int, state), action)), *slipped]

    def _moved(self, place: int, action: int) -> tuple[State, float]:
        if action == 0:
            return max(0, place - 1), self.near if place == 0 else 0.0
        return place + 1, float(place + 1 == self.length - 1)

    def ends(self, state: State) -> bool:
        return state == self.length - 1

    def describe(self, state: State) -> str:
        place = cast(int, state)
        return f"You are at place {place} of a chain of places 0 to {self.length - 1}, from left to right."
