"""Worlds that remember: their tables are those of the world, with what was done."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.remembering import Achieving, InOrder, finite
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor, Place


def test_what_is_remembered_changes_no_value():
    made = KeyDoor(size=3)
    remembering = Achieving(made, lambda s, a, t: frozenset({made.caption(s, a, t)} - {""}))
    plain, table = made.table(), remembering.table()
    V, W = value_iteration(plain).V, value_iteration(table).V
    assert [W[i] for i in range(len(W))] == pytest.approx([V[plain.index()[s]] for s, _ in table.states])
    assert (remembering.actions, remembering.goal) == (made.actions, made.goal)


def test_a_task_ends_where_the_world_does():
    task = InOrder(KeyDoor(size=2), ("go to the upper right corner",))
    assert task.ends((Place(1, 1, key=True, out=True), 0))
    assert task.ends((Place(1, 0), 1))
    assert not task.ends((Place(1, 0), 0))


def test_who_cannot_remember_says_so():
    with pytest.raises(ConfigError, match="object does not list what an action may lead to"):
        finite(object())
    with pytest.raises(ConfigError, match="Chain does not say what a step has done"):
        InOrder(Chain(), ("on",))
