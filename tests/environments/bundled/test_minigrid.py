"""What a view of Minigrid says in words, and a game with the package where it is installed."""

from __future__ import annotations

import sys

import pytest

from posttrain.environments.bundled.minigrid import ACTIONS, Minigrid, seen
from posttrain.errors import MissingExtraError
from tests.environments.playing import play
from tests.harness.settings import problems

EMPTY, WALL, KEY, DOOR, LAVA, GOAL = (1, 0, 0), (2, 5, 0), (5, 4, 0), (4, 0, 2), (9, 0, 0), (8, 1, 0)


def view(**cells: tuple[int, int, int]) -> list:
    """Seven by seven cells; `a3r1` is 3 ahead and 1 to the right, `a2l1` to the left."""
    grid = [[EMPTY] * 7 for _ in range(7)]
    for place, cell in cells.items():
        ahead, side, aside = int(place[1]), place[2], int(place[3])
        grid[3 + aside * (1 if side == "r" else -1)][6 - ahead] = cell
    return grid


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({}, []),
        ({"a2l1": KEY}, ["a yellow key 2 ahead and 1 to the left"]),
        ({"a0r3": GOAL, "a1r0": DOOR}, ["a locked red door 1 ahead", "a goal 3 to the right"]),
        ({"a4r0": WALL, "a2r0": WALL, "a1l1": WALL, "a5r0": LAVA}, ["a wall 2 ahead", "a lava 5 ahead"]),
        ({"a0r0": KEY}, []),
        ({"a3r0": (4, 2, 0)}, ["an open blue door 3 ahead"]),
        ({"a3r0": (0, 0, 0), "a2r0": (3, 1, 0)}, []),
    ],
)
def test_what_is_seen(cells: dict, words: list[str]) -> None:
    assert list(seen(view(**cells))) == words


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minigrid", None)
    with pytest.raises(MissingExtraError, match=r"posttrain\[minigrid\]"):
        Minigrid(id="MiniGrid-Empty-5x5-v0")


def test_its_settings() -> None:
    assert not problems(Minigrid)


def test_a_walk_to_the_goal() -> None:
    pytest.importorskip("minigrid")
    moves = iter(["go forward", "Go forward", "fly", "turn right", "go forward", "go forward"])
    played = play(Minigrid(id="MiniGrid-Empty-5x5-v0"), {"prompt": "Play.", "start": 1}, lambda _: next(moves))
    assert played.begin[0]["content"] == (
        f"Play.\n\nActions: {', '.join(ACTIONS)}.\nMission: get to the green goal square. You face east. "
        "You see a wall 3 ahead, a goal 2 ahead and 2 to the right."
    )
    assert played.done
    assert played.reward == pytest.approx(1 - 0.9 * 5 / 100)
