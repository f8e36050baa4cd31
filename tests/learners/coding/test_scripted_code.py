"""What the scripted writer writes: the exact advantage of each step, and programs that mislead or break."""

from __future__ import annotations

import pytest

from posttrain.learners.coding.reward_code import read_reward
from posttrain.learners.coding.scripted_code import right_code, wrong_codes
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.key_door import KeyDoor
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain

ROOM = KeyDoor(size=2)


def test_the_right_program_is_the_advantage_and_the_wrong_ones_are_not():
    table = ROOM.table()
    values, index = value_iteration(table), table.index()
    right, flipped, noise, constant, broken = (
        read_reward(ROOM, table, p, Plain(), Limits(seconds=20.0))
        for p in (right_code(ROOM, table), *wrong_codes(ROOM, table))
    )
    for (s, a, _), total in right.total.items():
        i = index[s]
        assert total == pytest.approx(values.Q[i, a] - values.V[i], abs=1e-4)
    assert flipped.total == {key: -x for key, x in right.total.items()}
    assert right.parts == {"loss": right.total}
    assert len(set(noise.total.values())) > 3
    assert constant.startswith("returned 1.0 for every step")
    assert broken == "raised KeyError: 'goal_reached'"
