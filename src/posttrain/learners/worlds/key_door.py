"""A key and a door: a room whose door opens only for a walker who has fetched the key from the other end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State


class Place(NamedTuple):
    """Where the walker stands, and what it has done."""

    x: int
    y: int
    key: bool = False
    out: bool = False


class KeyDoor(Finite):
    """A grid; the key lies in the upper left corner, the door is in the lower right one, the walker begins between.

    Only the open door earns 1. `use` picks the key up where it lies, and opens the door with it.

    Settings:
        size: width and height of the room; at least 2.
        slip: probability that a move goes nowhere; 0 to 0.5.
    """

    actions = ("up", "down", "left", "right", "use")
    moves = ((0, -1), (0, 1), (-1, 0), (1, 0))
    goal = "fetch the key and open the door with it"
    goals = ("pick up the key", "open the door", "go to the upper right corner", "go to the lower left corner")
    subgoals = goals[:2]

    def __init__(self, *, size: int = 5, slip: float = 0.0) -> None:
        super().__init__()
        self.size, self.slip = size, slip

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Place(self.size // 2, self.size // 2))]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        place = cast(Place, state)
        if action == len(self.moves):
            return [(1.0, *self._used(place))]
        dx, dy = self.moves[action]
        last = self.size - 1
        moved = place._replace(x=min(max(place.x + dx, 0), last), y=min(max(place.y + dy, 0), last))
        stays = [(self.slip, place, 0.0)] if self.slip else []
        return [(1 - self.slip, moved, 0.0), *stays]

    def _used(self, place: Place) -> tuple[State, float]:
        if (place.x, place.y) == (0, 0):
            return place._replace(key=True), 0.0
        if place.key and (place.x, place.y) == (self.size - 1, self.size - 1):
            return place._replace(out=True), 1.0
        return place, 0.0

    def ends(self, state: State) -> bool:
        return cast(Place, state).out

    def caption(self, state: State, action: int, after: State) -> str:  # noqa: ARG002
        """Say what a step has done: one of the goals, or nothing."""
        before, place, last = cast(Place, state), cast(Place, after), self.size - 1
        corners = {(last, 0): 2, (0, last): 3}
        if place.key > before.key or place.out > before.out:
            return self.goals[place.out]
        at = corners.get((place.x, place.y)) if place != before else None
        return "" if at is None else self.goals[at]

    def describe(self, state: State) -> str:
        place, last = cast(Place, state), self.size - 1
        if place.out:
            return "The door is open."
        held = "You hold the key." if place.key else "The key lies at column 0, row 0; you do not hold it."
        return f"You stand at column {place.x}, row {place.y}. {held} The door is at column {last}, row {last}."
