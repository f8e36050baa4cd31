"""Environments of gymnasium as worlds: their table, their words, their ends."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.lookup import world
from posttrain.learners.value_iteration import value_iteration

pytest.importorskip("gymnasium")
LAKE = {"id": "FrozenLake-v1", "options": {"is_slippery": False}}


def test_the_lake_is_crossed_by_its_table():
    made = world("gymnasium", LAKE)
    table = made.table()
    values = value_iteration(table)
    assert values.V[0] == pytest.approx(0.95**5)
    assert table.terminal.nonzero()[0].tolist() == [5, 7, 11, 12, 15]
    state, earned = made.reset(0), []
    for _ in range(6):
        step = made.step(int(values.policy[state].argmax()))
        state = step.state
        earned.append((step.reward, step.done))
    assert earned == [(0, False)] * 5 + [(1, True)]


def test_states_have_words():
    made = world("gymnasium", LAKE | {"task": "cross the lake"})
    state = made.reset(0)
    assert state == 0
    assert "FFF" in made.describe(state)
    assert made.describe(99) == "You observe 99."
    assert (made.goal, made.actions) == ("cross the lake", ("left", "down", "right", "up"))


def test_numbers_are_rounded_and_there_is_no_table():
    made = world("gymnasium", {"id": "CartPole-v1", "digits": 1})
    state = made.reset(0)
    assert len(state) == 4
    assert all(round(x, 1) == x for x in state)
    assert made.goal == "do well in CartPole-v1"
    step = made.step(1)
    assert step.reward == 1
    with pytest.raises(ConfigError, match="CartPole-v1 has no table of its own"):
        made.table()
