"""LMGT: what a shift of the reward does to values and optima, and that it fades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posttrain.learners.guides.shift import Shift, shift
from posttrain.learners.q_learning import Settings, Transition, q_learning
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain

STEP = Transition(state=1, action=1, reward=0.0, after=2, done=False, episode=0, time=0)


def shifted(table, by):
    return replace(table, R=np.where(table.terminal[:, None], 0.0, table.R + by))


@pytest.mark.paper("000-text:LMGT")
def test_the_same_shift_everywhere_adds_its_discounted_sum_where_nothing_ends():
    table = Chain(length=5).table()
    endless = replace(table, terminal=np.zeros(5, dtype=bool))
    plain, moved = value_iteration(endless), value_iteration(shifted(endless, 0.3))
    assert moved.V == pytest.approx(plain.V + 0.3 / (1 - 0.95))
    assert (moved.policy == plain.policy).all()


@pytest.mark.paper("000-text:LMGT")
def test_where_episodes_end_it_changes_the_optimum():
    """Staying for ever is worth 0.1 / (1 - 0.95) = 2, the far end 1: this is why shifts must fade."""
    table = Chain(length=5, slip=0.0).table()
    assert value_iteration(shifted(table, 0.1)).policy[0, 0] == 1
    assert value_iteration(table).policy[0, 1] == 1


def test_ratings_shift_and_fade():
    made = Shift({(1, 1): 1.0, (1, 0): -1.0}, size=0.2, until=4)
    assert [made(replace(STEP, episode=e)) for e in (0, 1, 4, 9)] == pytest.approx([0.2, 0.15, 0, 0])
    assert made(replace(STEP, action=0)) == -0.2
    assert made(replace(STEP, state=3)) == 0
    assert Shift({(1, 1): 1.0}, size=0.2, until=0)(replace(STEP, episode=10**6)) == 0.2


def test_a_speaker_rates():
    (made,) = shift(Chain(length=4), Scripted(1.0), size=0.2, until=0).extras
    assert made(STEP) == 0.2
    assert made(replace(STEP, action=0)) == -0.2

    class Silent(Scripted):
        def answer(self, questions):
            return [None] * len(questions)

    (made,) = shift(Chain(length=4), Silent(1.0)).extras
    assert made(STEP) == 0


def test_a_shift_that_fades_leaves_the_optimum_and_one_that_stays_does_not():
    made, how = Chain(length=4, slip=0.0), Settings(episodes=300, rate=1.0, explore=1.0)
    best = value_iteration(made.table()).Q[:3]

    def distance(until):
        learned = q_learning(made, 0, how, shift(made, Scripted(0.3), size=0.5, until=until))
        return np.abs(np.array([learned.q[s] for s in range(3)]) - best).max()

    assert distance(50) < 1e-9
    assert distance(0) > 0.1
