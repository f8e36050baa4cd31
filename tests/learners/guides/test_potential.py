"""Potential-based shaping: no potential changes what is best, exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posttrain.learners.guides.potential import Shaping, potential
from posttrain.learners.q_learning import Settings, Transition, q_learning
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import evaluated, value_iteration
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor

pytestmark = pytest.mark.paper("001-text:potential-based shaping")


@pytest.mark.parametrize("made", [Chain(length=6), KeyDoor(size=3, slip=0.2)])
@pytest.mark.parametrize("seed", range(3))
def test_values_move_by_the_potential_and_policies_do_not(made, seed):
    """Q'(s, a) = Q(s, a) - φ(s); advantages and best actions are the same, for any φ."""
    table = made.table()
    phi = np.where(table.terminal, 0.0, np.random.default_rng(seed).normal(size=len(table.states)))
    extra = table.discount * table.P @ phi - phi[:, None]
    moved = replace(table, R=np.where(table.terminal[:, None], 0.0, table.R + extra))
    plain, shaped = value_iteration(table), value_iteration(moved)
    alive = ~table.terminal
    assert shaped.V == pytest.approx(plain.V - phi, abs=1e-6)
    assert np.allclose(shaped.Q[alive], (plain.Q - phi[:, None])[alive], atol=1e-6)
    assert (shaped.policy[alive] == plain.policy[alive]).all()
    even = np.full(table.R.shape, 1 / len(made.actions))
    assert evaluated(moved, even) == pytest.approx(evaluated(table, even) - phi, abs=1e-6)


def test_over_an_episode_it_adds_up_to_the_potential_of_its_beginning():
    phi = {0: 0.3, 1: -0.7, 2: 2.0, 3: 99.0}  # that of an end is not read
    shaping = Shaping(phi.get, 0.9)
    steps = [Transition(s, 1, 0.0, s + 1, s == 2, 0, s) for s in range(3)]
    assert sum(0.9**t * shaping(step) for t, step in enumerate(steps)) == pytest.approx(-0.3)


def test_q_learning_ends_at_the_moved_values():
    made = Chain(length=4, slip=0.0)
    hooks = potential(made, Scripted(0.3), scale=2.0)
    learned = q_learning(made, 0, Settings(episodes=300, rate=1.0, explore=1.0), hooks)
    phi = np.array([hooks.extras[0].potential(s) for s in range(3)])
    found = np.array([learned.q[s] for s in range(3)])
    assert np.abs(found - (value_iteration(made.table()).Q[:3] - phi[:, None])).max() < 1e-9


def test_a_speaker_grades_and_silence_is_no_potential():
    near = potential(Chain(length=6), Scripted(1.0), scale=0.5).extras[0].potential
    assert near(4) == 0.5
    assert near(0) == 0.1
    assert near(5) == 0  # an end

    class Silent(Scripted):
        def answer(self, questions):
            return [None] * len(questions)

    assert potential(Chain(), Silent(1.0)).extras[0].potential(3) == 0


def test_a_state_whose_grade_could_not_be_read_neither_draws_nor_repels():
    class Forgets(Scripted):
        def answer(self, questions):
            return [None if "place 3 " in q.text else said for q, said in zip(questions, super().answer(questions))]

    near = potential(Chain(length=6), Forgets(1.0), scale=0.5).extras[0].potential
    assert near(3) == pytest.approx(sum(near(s) for s in (0, 1, 2, 4)) / 4)
