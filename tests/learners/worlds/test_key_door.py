"""The key and the door: the way there, its worth, its words."""

from __future__ import annotations

import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.key_door import KeyDoor, Place


def test_the_way_through_the_room():
    made = KeyDoor(size=3)
    assert made.reset(0) == Place(1, 1)
    steps = [made.step(a) for a in (4, 0, 2, 4, 1, 1, 3, 3, 4)]  # use does nothing here, then up, left, use, ...
    assert [s.reward for s in steps] == [0] * 8 + [1]
    assert [s.done for s in steps] == [False] * 8 + [True]
    assert steps[3].state == Place(0, 0, key=True)


def test_nothing_opens_without_the_key_and_walls_stop():
    made = KeyDoor(size=2)
    assert made.outcomes(Place(1, 1), 4) == [(1.0, Place(1, 1), 0.0)]
    assert made.outcomes(Place(1, 1), 3) == [(1.0, Place(1, 1), 0.0)]


def test_the_optimum_is_the_length_of_the_way():
    made = KeyDoor(size=5)
    table = made.table()
    values = value_iteration(table)
    assert values.V[table.index()[Place(2, 2)]] == pytest.approx(0.95 ** (4 + 1 + 8))
    assert len(table.states) == 2 * 25 + 1


def test_a_slip_goes_nowhere():
    assert KeyDoor(size=3, slip=0.2).outcomes(Place(1, 1), 0) == [(0.8, Place(1, 0), 0.0), (0.2, Place(1, 1), 0.0)]


def test_captions():
    made = KeyDoor(size=5)
    here = Place(0, 0)
    assert made.caption(here, 4, here._replace(key=True)) == "pick up the key"
    assert made.caption(here._replace(key=True), 4, here._replace(key=True)) == ""
    assert made.caption(Place(4, 4, key=True), 4, Place(4, 4, key=True, out=True)) == "open the door"
    assert made.caption(Place(3, 0), 3, Place(4, 0)) == "go to the upper right corner"
    assert made.caption(Place(4, 0), 3, Place(4, 0)) == ""
    assert made.caption(Place(0, 3), 1, Place(0, 4)) == "go to the lower left corner"
    assert made.subgoals == ("pick up the key", "open the door")


def test_words():
    made = KeyDoor(size=5)
    assert made.describe(Place(2, 2)) == (
        "You stand at column 2, row 2. The key lies at column 0, row 0; you do not hold it. "
        "The door is at column 4, row 4."
    )
    assert "You hold the key." in made.describe(Place(2, 2, key=True))
    assert made.describe(Place(4, 4, key=True, out=True)) == "The door is open."
