"""Worlds whose states can be listed: the table says what the episodes do."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from posttrain.errors import ConfigError
from posttrain.learners.finite import Finite
from posttrain.learners.lookup import world, worlds
from posttrain.learners.worlds.chain import Chain

LISTED = [name for name in worlds() if name not in ("gymnasium", "say_select", "sumo")]  # with a table, whatever is set


@pytest.mark.parametrize("name", LISTED)
def test_the_table_is_a_process_with_ends(name):
    table = world(name).table()
    assert np.allclose(table.P.sum(axis=2), 1)
    assert table.start.sum() == pytest.approx(1)
    assert (table.R[table.terminal] == 0).all()
    assert (table.P[table.terminal, :, table.terminal] == 1).all()
    assert 0 < table.discount <= 1
    assert len(table.index()) == len(table.states)


@pytest.mark.parametrize("name", LISTED)
def test_episodes_go_where_the_table_says(name):
    made, random = world(name), Random(0)
    table = made.table()
    index = table.index()
    for seed in range(5):
        state, done = made.reset(seed), False
        for _ in range(20):
            assert made.describe(state)
            action = random.randrange(len(made.actions))
            step = made.step(action)
            assert table.P[index[state], action, index[step.state]] > 0
            state, done = step.state, step.done
            assert done == table.terminal[index[state]]
            if done:
                break


@pytest.mark.parametrize("name", LISTED)
def test_different_states_are_described_in_different_words(name):
    made = world(name)
    table = made.table()
    alive = [s for s, end in zip(table.states, table.terminal, strict=True) if not end]
    assert len({made.describe(s) for s in alive}) == len(alive)


def test_an_episode_derives_from_its_seed():
    made = Chain(slip=0.5)

    def places(seed):
        made.reset(seed)
        return [made.step(1).state for _ in range(6)]

    assert places(1) == places(1)
    assert len({tuple(places(s)) for s in range(8)}) > 1


def test_probabilities_of_episodes_are_those_of_the_table():
    made, found = Chain(slip=0.25), Counter()
    for seed in range(2000):
        made.reset(seed)
        found[made.step(1).state] += 1
    assert found[1] / 2000 == pytest.approx(0.75, abs=0.04)  # four standard errors


def test_a_world_without_end_has_no_table():
    class Endless(Finite):
        actions, goal, longest = ("on",), "none", 10

        def starts(self):
            return [(1.0, 0)]

        def outcomes(self, state, action):
            return [(1.0, state + 1, 0.0)]

        def ends(self, state):
            return False

        def describe(self, state):
            return str(state)

    with pytest.raises(ConfigError, match="Endless has over 10 states"):
        Endless().table()
