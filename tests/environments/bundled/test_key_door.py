"""The house with the locked door."""

from __future__ import annotations

from collections import deque

import pytest

from posttrain.environments.bundled.key_door import OPPOSITE, VAULT, KeyDoor
from tests.environments.playing import keeps_the_rules, play, prompt_of


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(KeyDoor)


def way(world: KeyDoor, start: str, end: str) -> list[str]:
    """The commands of the shortest way, found without the game's own rules."""
    ways = {start: []}
    queue = deque([start])
    while queue:
        room = queue.popleft()
        for direction, beyond in world.exits[room].items():
            if beyond not in ways:
                ways[beyond] = [*ways[room], f"go {direction}"]
                queue.append(beyond)
    return ways[end]


@pytest.mark.parametrize("rooms", [2, 4, 8])
def test_the_shortest_way_wins_in_every_house(rooms: int) -> None:
    for task in KeyDoor.tasks(10, 2):
        world = KeyDoor(rooms=rooms)
        world.reset(prompt_of(task), 0)
        assert len(world.exits) == rooms + 1
        assert world.key != world.room
        assert all(world.exits[b][OPPOSITE[d]] == a for a, exits in world.exits.items() for d, b in exits.items())
        door = next(room for room, exits in world.exits.items() if VAULT in exits.values())
        plan = [*way(world, world.room, world.key), "take key", *way(world, world.key, door), "unlock door"]
        plan = iter([*plan, *way(world, door, VAULT), "take treasure"])
        played = play(world, task, lambda _, p=plan: next(p))
        assert (played.reward, played.done, played.outcomes[-1].info) == (1.0, True, {"won": True})


def test_nothing_is_had_out_of_order() -> None:
    for task in KeyDoor.tasks(10, 5):
        world = KeyDoor(rooms=2)
        world.reset(prompt_of(task), 0)
        door = next(room for room, exits in world.exits.items() if VAULT in exits.values())
        for move in [*way(world, world.room, VAULT), "take treasure", "unlock door", "take treasure"]:
            outcome = world.play(move)
            assert (outcome.reward, outcome.done) == (0.0, False)
        assert not world.open
        assert world.room == door


def test_what_is_said() -> None:
    world = KeyDoor(rooms=2)
    world.exits = {
        "hall": {"north": "kitchen"},
        "kitchen": {"south": "hall", "east": VAULT},
        VAULT: {"west": "kitchen"},
    }
    world.room, world.key = "hall", "kitchen"
    said = [
        world.play(move).messages[0]["content"]
        for move in ("dance", "go north", "take key", "unlock door", "go east", "take treasure")
    ]
    assert said == [
        "You cannot do that now. You are in the hall. To the north is the kitchen.",
        "You are in the kitchen. There is a key. To the south is the hall. To the east is a locked door.",
        "You are in the kitchen. To the south is the hall. To the east is a locked door. You have the key.",
        "You are in the kitchen. To the south is the hall. To the east is the vault. You have the key.",
        "You are in the vault. There is a treasure. To the west is the kitchen. You have the key.",
        "The treasure is yours.",
    ]
