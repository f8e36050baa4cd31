"""A matrix game of two players: which outcome is good depends on the objective, and all four can be enumerated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple, cast

from posttrain.errors import ConfigError, suggestion
from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

Pay = tuple[float, float]
MOVES = ("A", "B")
DILEMMA = ((3.0, 3.0), (0.0, 5.0), (5.0, 0.0), (1.0, 1.0))  # of A A, A B, B A and B B
GOALS = {
    "welfare": "the total payoff of both players is as large as it can be",
    "equality": "both players get the same",
    "rawls": "the player who gets less gets as much as can be",
    "pareto": "no other outcome is better for one player and no worse for the other",
}


class Played(NamedTuple):
    """What both players did; nothing before the game."""

    one: str = ""
    other: str = ""


class MatrixGame(Finite):
    """One move of both players together. An outcome that meets the objective earns 1.

    Settings:
        objective: what an outcome must meet; welfare, equality, rawls or pareto, by name.
        payoffs: payoffs of both players for A A, A B, B A and B B, as 4 pairs; null is a prisoner's dilemma.
    """

    actions = tuple(f"{one} {other}" for one, other in product(MOVES, MOVES))
    discount = 1.0

    def __init__(self, *, objective: str = "welfare", payoffs: list[list[float]] | None = None) -> None:
        super().__init__()
        if objective not in GOALS:
            raise ConfigError(
                f"matrix_game: no objective {objective!r}{suggestion(objective, GOALS)}; {', '.join(GOALS)}"
            )
        pairs = DILEMMA if payoffs is None else tuple((float(a), float(b)) for a, b in payoffs)
        if len(pairs) != len(self.actions):
            raise ConfigError(f"matrix_game: {len(pairs)} payoffs; give one pair for each of {', '.join(self.actions)}")
        self.objective = objective
        self.payoffs: dict[str, Pay] = dict(zip(self.actions, pairs, strict=True))
        self.goal = GOALS[objective]

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Played())]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:  # noqa: ARG002 -- there is one state to act in
        played = Played(*self.actions[action].split())
        return [(1.0, played, float(self.meets(played)))]

    def meets(self, played: Played) -> bool:
        """Whether an outcome meets the objective."""
        pay = self.payoffs[" ".join(played)]
        return _MEETS[self.objective](pay, [*self.payoffs.values()])

    def ends(self, state: State) -> bool:
        return state != Played()

    def describe(self, state: State) -> str:
        played = cast(Played, state)
        if not self.ends(played):
            return f"Two players move at the same time. The payoffs of both: {_listed(self.payoffs)}."
        one, other = self.payoffs[" ".join(played)]
        return (
            f"The first player chose {played.one} and got {one:g}, the second chose {played.other} and got {other:g}."
        )


def _welfare(pay: Pay, others: Sequence[Pay]) -> bool:
    return sum(pay) == max(map(sum, others))


def _equality(pay: Pay, others: Sequence[Pay]) -> bool:  # noqa: ARG001 -- one outcome says it
    return pay[0] == pay[1]


def _rawls(pay: Pay, others: Sequence[Pay]) -> bool:
    return min(pay) == max(map(min, others))


def _pareto(pay: Pay, others: Sequence[Pay]) -> bool:
    return not any(o != pay and o[0] >= pay[0] and o[1] >= pay[1] for o in others)


_MEETS: dict[str, Callable[[Pay, Sequence[Pay]], bool]] = {
    "welfare": _welfare,
    "equality": _equality,
    "rawls": _rawls,
    "pareto": _pareto,
}


def _listed(payoffs: dict[str, Pay]) -> str:
    return "; ".join(f"{moves}: {one:g} and {other:g}" for moves, (one, other) in payoffs.items())
