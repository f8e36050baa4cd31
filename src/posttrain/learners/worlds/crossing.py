"""A crossing with traffic lights: two roads, a queue on each, and now and then an ambulance or a road that is blocked.

A green light lets one car through per step; the step of a change lets nobody through. An ambulance waits at the head of
its queue until its light is green. Behind a blocked exit nobody can leave, and a green light there sends cars into
each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

ROADS = ("north-south", "east-west")
EVENTS = ("none", "ambulance 0", "ambulance 1", "blocked 0", "blocked 1")


class Traffic(NamedTuple):
    """Cars on the two roads, the road whose light is green, and what is unusual (an index of EVENTS)."""

    first: int = 0
    second: int = 0
    green: int = 0
    event: int = 0

    def ambulance(self) -> int | None:
        """The road on which an ambulance waits."""
        return self.event - 1 if self.event in (1, 2) else None

    def blocked(self) -> int | None:
        """The road whose exit is blocked."""
        return self.event - 3 if self.event in (3, 4) else None


class Crossing(Finite):
    """Reward: minus the cars that wait, minus 5 for a waiting ambulance, minus 20 for green before a blocked exit.

    Settings:
        arrivals: probability that a car comes along each road in a step; each 0 to 1.
        unusual: probability that something unusual begins in a step; 0 to 1, 0 for the world that a controller knows.
        longest: cars that find room on a road; at least 1.
        clearing: probability that a blocked exit becomes free in a step; above 0 to 1.
    """

    actions = tuple(f"green for {road}" for road in ROADS)
    goal = "let nobody wait for long, an ambulance least of all"
    discount = 0.9

    def __init__(
        self,
        *,
        arrivals: tuple[float, float] | list[float] = (0.45, 0.3),
        unusual: float = 0.05,
        longest: int = 4,
        clearing: float = 0.25,
    ) -> None:
        super().__init__()
        north_south, east_west = arrivals
        self.arrivals, self.unusual = (north_south, east_west), unusual
        self.room, self.clearing = longest, clearing

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Traffic())]

    def ends(self, state: State) -> bool:  # noqa: ARG002 -- traffic never ends
        return False

    def legal(self, state: Traffic, action: int) -> bool:
        """Whether the exit of the road that gets green is free."""
        return action != state.blocked()

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        now = cast(Traffic, state)
        flows = action == now.green and self.legal(now, action)
        leaves = [max(0, q - (flows and road == action)) for road, q in enumerate(now[:2])]
        events = self._events(now, action if flows else None)
        found: list[Outcome] = []
        for (came, event), chance in events_and_arrivals(events, self.arrivals):
            queues = [min(q + c, self.room) for q, c in zip(leaves, came, strict=True)]
            after = Traffic(queues[0], queues[1], action, event)
            found.append((chance, after, self.reward(now, action)))
        return found

    def reward(self, state: Traffic, action: int) -> float:
        """The reward of a step: minus the price of cars and ambulances that wait, and of a light that is illegal."""
        waiting = state.first + state.second + 5 * (state.ambulance() is not None)
        return -float(waiting) - 20.0 * (not self.legal(state, action))

    def _events(self, state: Traffic, flows: int | None) -> dict[int, float]:
        if state.ambulance() is not None:
            return {0 if flows == state.ambulance() else state.event: 1.0}
        if state.blocked() is not None:
            return {0: self.clearing, state.event: 1 - self.clearing}
        return {0: 1 - self.unusual} | dict.fromkeys(range(1, 5), self.unusual / 4)

    def describe(self, state: State) -> str:
        now = cast(Traffic, state)
        cars = ", ".join(f"{q} cars wait on the {road} road" for q, road in zip(now[:2], ROADS, strict=True))
        return f"{cars}. The light is green for {ROADS[now.green]}. {self.unusually(now)}"

    def unusually(self, state: Traffic) -> str:
        """Say in words what is unusual."""
        ambulance, blocked = state.ambulance(), state.blocked()
        if ambulance is not None:
            return f"An ambulance waits on the {ROADS[ambulance]} road."
        if blocked is not None:
            return f"The exit of the {ROADS[blocked]} road is blocked."
        return "Nothing is unusual."


def events_and_arrivals(
    events: dict[int, float], arrivals: tuple[float, float]
) -> list[tuple[tuple[tuple[int, int], int], float]]:
    """Every combination of arrivals on the two roads and of the next event that is possible, with its probability."""
    found = []
    for one, two, (event, chance) in product((0, 1), (0, 1), events.items()):
        p = chance
        for rate, came in zip(arrivals, (one, two), strict=True):
            p *= rate if came else 1 - rate
        if p > 0:
            found.append((((one, two), event), p))
    return found
