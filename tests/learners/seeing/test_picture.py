"""Pictures of states: what is in them, and that other states look different."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.errors import ConfigError
from posttrain.learners.seeing.picture import CELL, DOOR, KEY, OPEN, WALKER, picture
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor, Place
from posttrain.learners.worlds.matrix_game import MatrixGame, Played


def colours(drawn):
    return {tuple(int(x) for x in c) for c in drawn.reshape(-1, 3)}


def test_a_room_shows_walker_key_and_door():
    room = KeyDoor(size=3)
    begin, held, out = (picture(room, s) for s in (Place(1, 1), Place(0, 0, True), Place(2, 2, True, True)))
    assert begin.shape == (3 * CELL, 3 * CELL, 3)
    assert begin.dtype == np.uint8
    assert tuple(begin[12, 12]) == WALKER
    assert tuple(begin[0, 0]) == KEY
    assert tuple(begin[-1, -1]) == DOOR
    assert KEY in colours(held)  # in the hand of the walker
    assert tuple(held[0, 0]) != KEY
    assert OPEN in colours(out)
    states = room.table().states
    assert len({picture(room, s).tobytes() for s in states}) == len(states)


def test_a_chain_is_a_row_and_other_worlds_draw_themselves_or_not():
    row = picture(Chain(length=4), 2)
    assert row.shape == (CELL, 4 * CELL, 3)
    assert [tuple(row[0, i * CELL]) for i in (2, 3)] == [WALKER, DOOR]

    class Drawn(MatrixGame):
        def picture(self, state):
            return [[[1, 2, 3]]]

    assert picture(Drawn(), Played()).tolist() == [[[1, 2, 3]]]
    with pytest.raises(ConfigError, match="MatrixGame cannot be drawn"):
        picture(MatrixGame(), Played())
