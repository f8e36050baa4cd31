"""A gridworld as a dialogue: walk from the start to the goal, around walls and pits.

The prompt draws the map. Each observation says where the player stands and where it can go; each answer of the policy
is one of these directions. The goal is worth 1 and ends the episode, a pit ends it without anything. With `slip` a step
goes sideways at times, so that the best way keeps clear of pits.

The column `map` holds the drawing: lines of `.` floor, `#` wall, `O` pit, and one `S` start and `G` goal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed
from posttrain.environments.value_iteration import Table, best_moves, optimal_values
from posttrain.errors import DataError
from posttrain.records import Prompt

Cell = tuple[int, int]  # row and column

DIRECTIONS: dict[str, Cell] = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
SIDEWAYS = {
    "north": ("west", "east"),
    "south": ("west", "east"),
    "east": ("north", "south"),
    "west": ("north", "south"),
}
RULES = (
    "Walk from S to G on this map. You cannot enter walls (#). A pit (O) is the end. North is up. Answer each time "
    "with one direction: north, east, south or west."
)


class GridworldText(TextGame):
    """A gridworld as a dialogue.

    Settings:
        slip: probability that a step goes to one of the two sides instead; 0 to below 1.
        turn_cost: what each turn costs; at least 0, and far below 1.
    """

    def __init__(self, *, slip: float = 0.0, turn_cost: float = 0.0) -> None:
        self.slip = slip
        self.turn_cost = turn_cost
        self.cells: dict[Cell, str] = {}  # all but walls
        self.at: Cell = (0, 0)
        self.draw = Draws("gridworld_text")

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw maps of 3 to 5 rows, on which the goal can be reached."""
        maps = [drawn(Draws("gridworld_text", "tasks", seed, number)) for number in range(count)]
        return [{"prompt": f"{RULES}\n\n{drawing}", "map": drawing} for drawing in maps]

    def begin(self, prompt: Prompt, seed: int) -> str:
        self.cells = cells_of(str(prompt.columns.get("map", "")), prompt.where)
        self.at = next(cell for cell, kind in self.cells.items() if kind == "S")
        self.draw = Draws("gridworld_text", seed)
        return self._view()

    def choices(self) -> Sequence[str]:
        return [name for name in DIRECTIONS if self._beyond(self.at, name) in self.cells]

    def play(self, move: str) -> Outcome:
        if move not in self.choices():
            return observed(f"That is not possible. {self._view()}", -self.turn_cost)
        if self.draw.integer(0, 999_999) < self.slip * 1e6:
            move = self.draw.choose(SIDEWAYS[move])
        self.at = self._after(self.at, move)
        kind = self.cells[self.at]
        if kind in "GO":
            text = "You have reached the goal." if kind == "G" else "You have fallen into a pit."
            return observed(text, (kind == "G") - self.turn_cost, done=True, won=kind == "G")
        return observed(self._view(), -self.turn_cost)

    def table(self) -> Table[Cell, str]:
        """Return the Markov decision process of the map; `optimal_values` finds the best policy from it."""
        return {
            cell: {
                name: [(p, *self._arrival(cell, where)) for p, where in self._shares(name)]
                for name in DIRECTIONS
                if self._beyond(cell, name) in self.cells
            }
            for cell, kind in self.cells.items()
            if kind not in "GO"
        }

    def optimal(self, discount: float = 0.95) -> list[str]:
        """Return the best directions where the player stands: what a perfect teacher would answer."""
        table = self.table()
        return best_moves(table, optimal_values(table, discount), self.at, discount)

    def _shares(self, name: str) -> list[tuple[float, str]]:
        sides = [(self.slip / 2, side) for side in SIDEWAYS[name]] if self.slip else []
        return [(1 - self.slip, name), *sides]

    def _arrival(self, cell: Cell, name: str) -> tuple[Cell, float, bool]:
        after = self._after(cell, name)
        return after, (self.cells[after] == "G") - self.turn_cost, self.cells[after] in "GO"

    def _after(self, cell: Cell, name: str) -> Cell:
        return self._beyond(cell, name) if self._beyond(cell, name) in self.cells else cell

    @staticmethod
    def _beyond(cell: Cell, name: str) -> Cell:
        return cell[0] + DIRECTIONS[name][0], cell[1] + DIRECTIONS[name][1]

    def _view(self) -> str:
        return f"You are in row {self.at[0] + 1}, column {self.at[1] + 1}. You can go: {', '.join(self.choices())}."


def cells_of(drawing: str, where: str = "") -> dict[Cell, str]:
    """Read a map. Raises DataError for one without exactly one start and one goal, or with other characters."""
    rows = drawing.strip().splitlines()
    cells = {(r, c): kind for r, row in enumerate(rows) for c, kind in enumerate(row.strip()) if kind != "#"}
    kinds = [*cells.values()]
    if kinds.count("S") != 1 or kinds.count("G") != 1 or set(kinds) - set("SG.O"):
        raise DataError(f"{where or 'map'}: {drawing!r:.80} is no map: lines of . # O and one S and one G")
    return cells


def drawn(draw: Draws) -> str:
    """Draw a map on which the goal can be reached."""
    while True:
        size = draw.integer(3, 5)
        kinds = [draw.choose(".....##O") for _ in range(size * size)]
        start = draw.integer(0, size * size - 1)
        goal = (start + draw.integer(1, size * size - 1)) % (size * size)
        kinds[start], kinds[goal] = "S", "G"
        drawing = "\n".join("".join(kinds[row * size : (row + 1) * size]) for row in range(size))
        if _reachable(cells_of(drawing)):
            return drawing


def _reachable(cells: Mapping[Cell, str]) -> bool:
    """Whether a way leads from the start to the goal."""
    seen = {cell for cell, kind in cells.items() if kind == "S"}
    edge = seen
    while edge:
        edge = {(r + dr, c + dc) for r, c in edge for dr, dc in DIRECTIONS.values()} & cells.keys() - seen
        edge = {cell for cell in edge if cells[cell] != "O"}
        seen |= edge
    return any(cells[cell] == "G" for cell in seen)
