"""Driving on a road of two lanes with a slower car in each: be quick, and never hit anybody.

Distances are counted in lengths of a car and speeds in lengths per step. A car ahead drives at speed 1 and now and then
brakes to a stop for a step. A car that was overtaken is out of sight, and the next one appears at the end of the view.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Literal, NamedTuple, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

VIEW, FASTEST = 6, 3
CHANGES = (-1, 0, 1, 0)  # of the speed, by action


class Road(NamedTuple):
    """The lane that one drives in, the free lengths ahead in both lanes, one's speed, and whether one hit somebody."""

    lane: int = 0
    left: int = VIEW
    right: int = VIEW
    speed: int = 1
    crashed: int = 0

    def gaps(self) -> tuple[int, int]:
        """The free lengths ahead in the left and the right lane."""
        return self.left, self.right


Wished = Literal["quick", "school", "sick"]


class Wish(NamedTuple):
    """What a passenger says, and what they like: speed, none of it above 1, no change of it, no change of lanes."""

    words: str
    speed: float
    above: float
    jerk: float
    change: float


WISHES: dict[Wished, Wish] = {
    "quick": Wish("The passenger is late for a train.", 1.0, 0.0, 0.0, 0.0),
    "school": Wish("Children play beside the road in front of a school.", 1.0, 1.0, 0.0, 0.0),
    "sick": Wish("The passenger feels sick in every bend and at every jolt.", 1.0, 0.0, 0.8, 0.8),
}


class Lane(Finite):
    """Reward: what the passenger likes in a step, minus 20 for a crash, which ends the episode.

    speed v / 3 - above max(0, v - 1) - jerk |v' - v| - change [lane changed]

    Settings:
        braking: probability that a car ahead stops for a step; 0 to 1.
        view: lengths that one sees ahead; 1 to 10.
        wish: what the passenger likes; one of the options quick, school and sick.
    """

    actions = ("brake", "keep the speed", "accelerate", "change the lane")
    discount = 0.9

    def __init__(self, *, braking: float = 0.2, view: int = VIEW, wish: Wished = "quick") -> None:
        super().__init__()
        self.braking, self.view = braking, view
        self.wish = WISHES[wish]
        self.goal = f"drive well and hit nobody. {self.wish.words}"

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Road(0, self.view, self.view))]

    def ends(self, state: State) -> bool:
        return bool(cast(Road, state).crashed)

    def moved(self, state: Road, action: int, ahead: tuple[int, int]) -> Road:
        """Where an action leads if the cars ahead drive at these speeds. A gap below 0 in the own lane is a crash."""
        return _moved(state, action, ahead, self.view)

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        found: list[Outcome] = []
        for ahead in product((0, 1), (0, 1)):
            chance = 1.0
            for v in ahead:
                chance *= 1 - self.braking if v else self.braking
            if chance > 0:
                after = self.moved(cast(Road, state), action, ahead)
                found.append((chance, after, self.worth(cast(Road, state), after)))
        return found

    def worth(self, before: Road, after: Road) -> float:
        """The reward of a step."""
        w, jolt, changed = self.wish, abs(after.speed - before.speed), after.lane != before.lane
        liked = w.speed * after.speed / FASTEST - w.above * max(0, after.speed - 1) - w.jerk * jolt - w.change * changed
        return liked - 20.0 * after.crashed

    def describe(self, state: State) -> str:
        now = cast(Road, state)
        if now.crashed:
            return "You have hit the car ahead."
        own, other = now.gaps()[now.lane], now.gaps()[1 - now.lane]
        return (
            f"You drive in the {('left', 'right')[now.lane]} lane at speed {now.speed} of {FASTEST}. The car ahead is "
            f"{own} lengths away, the one in the other lane {other}."
        )


@lru_cache(maxsize=50_000)
def _moved(state: Road, action: int, ahead: tuple[int, int], view: int) -> Road:
    speed = min(max(state.speed + CHANGES[action], 0), FASTEST)
    lane = 1 - state.lane if action == 3 else state.lane
    gaps = [gap + v - speed for gap, v in zip(state.gaps(), ahead, strict=True)]
    crashed = gaps[lane] < 0
    left, right = (view if g < 0 or g > view else g for g in gaps)
    return Road(lane, left, right, speed, int(crashed))
