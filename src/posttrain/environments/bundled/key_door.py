"""A small text adventure: find the key, unlock the door, take the treasure behind it.

Rooms lie around a start. In one of them is a key, and a locked door leads from one of them to the treasure. Each
observation says what is in the room and where its exits are; the commands are `go north`, `take key`, `unlock door` and
`take treasure`. Taking the treasure is worth 1 and ends the episode; a command that is impossible costs the turn.

The column `world` is the number that the house is drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed
from posttrain.records import Prompt
from posttrain.seeds import seed_for

Exits = dict[str, dict[str, str]]  # for each room: direction -> room

OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
ROOMS = ("hall", "kitchen", "library", "cellar", "garden", "attic", "bedroom", "workshop")
VAULT = "vault"  # where the treasure is
GOAL = (
    "You are in a house. Find the key, unlock the door and take the treasure behind it. Answer each time with one "
    "command: go north, go east, go south, go west, take key, unlock door or take treasure."
)


class KeyDoor(TextGame):
    """Find the key, unlock the door, take the treasure.

    Settings:
        rooms: number of rooms before the locked door; 2 to 8.
    """

    def __init__(self, *, rooms: int = 4) -> None:
        self.rooms = rooms
        self.exits: Exits = {}
        self.room = ""
        self.key: str | None = ""  # the room that it lies in; None once it is taken
        self.open = False

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw the numbers of houses."""
        return [{"prompt": GOAL, "world": seed_for("key_door", seed, number) % 2**31} for number in range(count)]

    def begin(self, prompt: Prompt, seed: int) -> str:
        draw = Draws("key_door", int(prompt.columns.get("world", seed)), self.rooms)
        self.exits = house(draw, ROOMS[: max(2, self.rooms)])
        names = [name for name in self.exits if name != VAULT]
        self.room, self.key, self.open = names[0], draw.choose(names[1:]), False
        return self._view()

    def choices(self) -> Sequence[str]:
        exits = self.exits[self.room]
        moves = [f"go {direction}" for direction, room in exits.items() if room != VAULT or self.open]
        if self.key == self.room:
            moves.append("take key")
        if self.key is None and VAULT in exits.values() and not self.open:
            moves.append("unlock door")
        return [*moves, "take treasure"] if self.room == VAULT else moves

    def play(self, move: str) -> Outcome:
        if move not in self.choices():
            return observed(f"You cannot do that now. {self._view()}")
        verb, _, what = move.partition(" ")
        if move == "take treasure":
            return observed("The treasure is yours.", 1.0, done=True, won=True)
        if verb == "go":
            self.room = self.exits[self.room][what]
        elif move == "take key":
            self.key = None
        else:
            self.open = True
        return observed(self._view())

    def _view(self) -> str:
        here = [f"You are in the {self.room}."]
        if self.key == self.room:
            here.append("There is a key.")
        if self.room == VAULT:
            here.append("There is a treasure.")
        here += [f"To the {direction} is {self._behind(room)}." for direction, room in self.exits[self.room].items()]
        return " ".join([*here, *(["You have the key."] if self.key is None else [])])

    def _behind(self, room: str) -> str:
        return "a locked door" if room == VAULT and not self.open else f"the {room}"


def house(draw: Draws, names: Sequence[str]) -> Exits:
    """Lay rooms side by side, each next to one that is there, and the vault at last."""
    exits: Exits = {names[0]: {}}
    cells = {(0, 0): names[0]}
    steps = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
    for name in (*names[1:], VAULT):
        free = [
            (cell, direction, beyond)
            for cell in cells
            for direction, (dr, dc) in steps.items()
            if (beyond := (cell[0] + dr, cell[1] + dc)) not in cells
        ]
        cell, direction, beyond = draw.choose(free)
        exits[cells[cell]][direction] = name
        exits[name] = {OPPOSITE[direction]: cells[cell]}
        cells[beyond] = name
    return exits
