"""The grid worlds of Minigrid (Chevalier-Boisvert et al., 2023) in words: rooms, keys, doors and boxes.

    environment: {path: minigrid, id: MiniGrid-DoorKey-5x5-v0}

The player sees seven by seven cells before it. Each observation says the mission, which way it faces, what it carries,
what it sees and where: "a red key 2 ahead and 1 to the left". Rewards are the environment's own, 1 less what the steps
cost; settings and columns are those of the environment `gymnasium`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from posttrain.environments.bundled.gymnasium import Gymnasium
from posttrain.errors import MissingExtraError

ACTIONS = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle", "done")
DIRECTIONS = ("east", "south", "west", "north")
# The numbers of Minigrid's encoding: kind, colour and, of doors, state. What is left out is not worth a word.
KINDS = {2: "wall", 4: "door", 5: "key", 6: "ball", 7: "box", 8: "goal", 9: "lava"}
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
DOORS = ("open", "closed", "locked")
PLAIN = {"wall", "lava", "goal"}  # whose colour says nothing

View = Sequence[Sequence[Sequence[int]]]  # for each column from the left, each row from the far end


class Minigrid(Gymnasium):
    """Play an environment of Minigrid.

    Settings:
        id: name of a registered environment, such as MiniGrid-Empty-5x5-v0; any of Minigrid's.
        options: keyword arguments of gymnasium.make; any that the environment takes.
    """

    def __init__(self, *, id: str, options: Mapping[str, Any] | None = None) -> None:  # noqa: A002 -- gymnasium's word
        try:
            import minigrid  # noqa: F401 -- which registers its environments
        except ModuleNotFoundError as error:
            raise MissingExtraError("the environment minigrid", "minigrid") from error
        super().__init__(id=id, options=options, actions=ACTIONS)

    def told(self) -> str:
        view = self.at["image"].tolist()
        things = [*seen(view)]
        carried = _named(view[len(view) // 2][-1])
        return " ".join(
            [
                f"Mission: {self.at['mission']}.",
                f"You face {DIRECTIONS[int(self.at['direction'])]}.",
                *([f"You carry {carried}."] if carried else []),
                f"You see {', '.join(things)}." if things else "You see nothing.",
            ]
        )


def seen(view: View) -> Iterator[str]:
    """Say what is in view and where, the nearest first; of walls only the one straight ahead that stands in the way.

    The player stands in the middle of the last row of the view, and looks along the columns.
    """
    middle, last = len(view) // 2, len(view[0]) - 1
    places = [(last - row, column - middle) for column in range(len(view)) for row in range(last + 1)]
    walls = [ahead for ahead, aside in places if aside == 0 and ahead and view[middle][last - ahead][0] == 2]
    for ahead, aside in sorted(places, key=lambda place: (place[0] + abs(place[1]), place)):
        cell = view[middle + aside][last - ahead]
        name = _named(cell)
        if name and (ahead, aside) != (0, 0) and (cell[0] != 2 or (aside == 0 and ahead == min(walls))):
            yield f"{name} {_where(ahead, aside)}"


def _named(cell: Sequence[int]) -> str:
    """Name what a cell holds; "" for nothing that is worth a word."""
    kind = KINDS.get(cell[0])
    if kind is None:
        return ""
    words = [] if kind in PLAIN else [COLOURS[cell[1]], kind]
    words = [DOORS[cell[2]], *words] if kind == "door" else words or [kind]
    return f"{'an' if words[0][0] in 'aeiou' else 'a'} {' '.join(words)}"


def _where(ahead: int, aside: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    parts += [f"{abs(aside)} to the {'left' if aside < 0 else 'right'}"] if aside else []
    return " and ".join(parts)
