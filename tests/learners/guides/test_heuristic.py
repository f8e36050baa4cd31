"""LLM-guided Q-learning: what is said wrongly is forgotten, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.guides.heuristic import heuristic
from posttrain.learners.q_learning import Settings, q_learning
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain


@pytest.mark.paper("000-text:LLM-guided Q-learning")
@pytest.mark.parametrize("value", [3.0, 0.5, -3.0])
@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_the_optimum_is_exactly_that_of_q_learning(value, accuracy):
    """Where nothing slips, Q-learning with rate 1 ends at Q* itself, whatever was said."""
    made = Chain(length=4, slip=0.0)
    table = made.table()
    hooks = heuristic(made, Scripted(accuracy), value=value, weight=0.5, until=10)
    learned = q_learning(made, 0, Settings(episodes=300, rate=1.0, explore=1.0), hooks)
    found = np.array([learned.q[s] for s in table.states[:3]])
    assert np.abs(found - value_iteration(table).Q[:3]).max() < 1e-9


def test_what_is_said_is_where_q_begins_and_what_it_is_drawn_to():
    hooks = heuristic(Chain(length=4), Scripted(1.0), value=0.5, weight=0.4, until=10)
    assert hooks.start(0) == [0.0, 0.5]
    assert hooks.pull(0, 0) == ([None, 0.5], 0.4)
    assert hooks.pull(0, 5) == ([None, 0.5], pytest.approx(0.2))
    assert hooks.pull(0, 10)[1] == hooks.pull(0, 99)[1] == 0.0
    assert heuristic(Chain(length=4), Scripted(0.0), value=0.5, until=0).pull(1, 0) == ([0.5, None], 0.0)


def test_a_good_speaker_saves_episodes():
    made, how = Chain(length=8), Settings(episodes=15)
    hooks = heuristic(made, Scripted(1.0), value=0.6)
    alone, helped = (sum(sum(q_learning(made, seed, how, h).returns) for seed in range(3)) for h in (None, hooks))
    assert helped > 1.2 * alone
