"""Crafting: a path with a tree at one end and a workbench at the other, and a pickaxe to make.

A log is chopped at the tree, sawn into four planks, two of which are carved into four sticks; three planks and two
sticks become a pickaxe at the workbench. A step along the path slips with some probability, and then nothing happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

LOGS, PLANKS, STICKS = 2, 8, 4  # how many can be carried; what would be more cannot be taken


class Crafted(NamedTuple):
    """Where somebody is (0 is the tree) and what they carry."""

    place: int = 0
    log: int = 0
    plank: int = 0
    stick: int = 0
    pickaxe: int = 0


class Crafting(Finite):
    """Reward 1 for the pickaxe, which ends the episode.

    Settings:
        length: places of the path; at least 2.
        slip: probability that a step along the path fails; 0 to below 1.
    """

    actions = ("go to the left", "go to the right", "chop", "saw", "carve", "build")
    goal = "make a pickaxe"

    def __init__(self, *, length: int = 4, slip: float = 0.1) -> None:
        super().__init__()
        self.length, self.slip = length, slip

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Crafted(self.length // 2))]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        now = cast(Crafted, state)
        if action < 2:
            place = min(max(now.place + (-1, 1)[action], 0), self.length - 1)
            slips = [(self.slip, now, 0.0)] if self.slip else []
            return [(1 - self.slip, now._replace(place=place), 0.0), *slips]
        after = self._made(now, self.actions[action])
        return [(1.0, after, float(after.pickaxe))]

    def ends(self, state: State) -> bool:
        return bool(cast(Crafted, state).pickaxe)

    def _made(self, s: Crafted, what: str) -> Crafted:
        if what == "chop" and s.place == 0 and s.log < LOGS:
            return s._replace(log=s.log + 1)
        if what == "saw" and s.log and s.plank + 4 <= PLANKS:
            return s._replace(log=s.log - 1, plank=s.plank + 4)
        if what == "carve" and s.plank >= 2 and s.stick + 4 <= STICKS:
            return s._replace(plank=s.plank - 2, stick=s.stick + 4)
        if what == "build" and s.place == self.length - 1 and s.plank >= 3 and s.stick >= 2:
            return s._replace(plank=s.plank - 3, stick=s.stick - 2, pickaxe=1)
        return s

    def describe(self, state: State) -> str:
        now = cast(Crafted, state)
        ends = {0: "at the tree", self.length - 1: "at the workbench"}
        place = ends.get(now.place, f"{now.place} steps from the tree")
        held = [f"{n} {item}{'s' * (n > 1)}" for item, n in zip(now._fields[1:], now[1:], strict=True) if n]
        return f"You are {place}. You carry {', '.join(held) or 'nothing'}."
