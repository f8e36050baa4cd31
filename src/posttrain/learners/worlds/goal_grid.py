"""A square grid with a wall and a goal in words: reach the cell that was named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from posttrain.errors import ConfigError
from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

Cell = tuple[int, int]
MOVES = ((0, -1), (0, 1), (-1, 0), (1, 0))


class GoalGrid(Finite):
    """Reward 1 in the goal, which ends the episode. A move into the wall or off the grid leads nowhere.

    Settings:
        target: column and row of the goal; each 0 to size - 1, not in the wall.
        size: cells of a side; at least 2.
        wall: cells that nobody can enter; any list of columns and rows.
    """

    actions = ("north", "south", "west", "east")
    discount = 0.9

    def __init__(
        self,
        *,
        target: Cell | list[int] = (4, 4),
        size: int = 5,
        wall: Sequence[Cell | list[int]] = ((2, 1), (2, 2), (2, 3)),
    ) -> None:
        super().__init__()
        self.size = size
        self.wall = frozenset(_cell(c) for c in wall)
        self.target = _cell(target)
        if self.target not in self.cells():
            raise ConfigError(f"goal_grid: the target {self.target} is in the wall or off a grid of {size} by {size}")
        self.goal = "go to column {} row {}".format(*self.target)

    def cells(self) -> tuple[Cell, ...]:
        """The cells that can be entered, row by row."""
        every = ((x, y) for y in range(self.size) for x in range(self.size))
        return tuple(c for c in every if c not in self.wall)

    def starts(self) -> Sequence[tuple[float, State]]:
        others = [c for c in self.cells() if c != self.target]
        return [(1 / len(others), c) for c in others]

    def moved(self, cell: Cell, action: int) -> Cell:
        """The cell that a move leads to."""
        dx, dy = MOVES[action]
        there = (cell[0] + dx, cell[1] + dy)
        inside = all(0 <= x < self.size for x in there)
        return there if inside and there not in self.wall else cell

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        after = self.moved(cast(Cell, state), action)
        return [(1.0, after, float(after == self.target))]

    def ends(self, state: State) -> bool:
        return state == self.target

    def describe(self, state: State) -> str:
        column, row = cast(Cell, state)
        return f"You are in column {column} row {row} of {self.size}."


def _cell(pair: Sequence[int]) -> Cell:
    """A cell as a run file has it, a list, or as the states have it."""
    column, row = pair
    return column, row
