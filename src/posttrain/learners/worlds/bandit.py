"""A bandit: one choice between arms that pay 1 with probabilities of their own, and the episode is over."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State


class Bandit(Finite):
    """One state before the choice, one behind it.

    Settings:
        pays: probability that each arm pays; each 0 to 1.
    """

    def __init__(self, *, pays: tuple[float, ...] | list[float] = (0.2, 0.4, 0.6, 0.5)) -> None:
        super().__init__()
        self.pays = tuple(pays)
        self.actions = tuple(f"pull arm {number}" for number in range(1, len(self.pays) + 1))
        self.goal = "pull the arm that pays most often"

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, "before")]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:  # noqa: ARG002
        pays = self.pays[action]
        return [(pays, "behind", 1.0), (1 - pays, "behind", 0.0)]

    def ends(self, state: State) -> bool:
        return state == "behind"

    def describe(self, state: State) -> str:
        arms = ", ".join(f"arm {i} pays with probability {p:g}" for i, p in enumerate(self.pays, 1))
        return "The arm is pulled." if self.ends(state) else f"You stand before {len(self.pays)} arms: {arms}."
