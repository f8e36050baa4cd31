"""CALM: credit for subgoals as a potential keeps the optimum, exactly; paid as a bonus it need not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posttrain.learners.guides.subgoals import Detector, subgoals
from posttrain.learners.q_learning import Settings, Transition, q_learning
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.key_door import KeyDoor, Place


def with_extra(made, extra):
    """The table of a world whose steps earn an extra besides."""
    table = made.table()
    R = table.R.copy()
    for i, a, j in zip(*np.nonzero(table.P), strict=True):
        if not table.terminal[i]:
            step = Transition(table.states[i], int(a), 0.0, table.states[j], bool(table.terminal[j]), 0, 0)
            R[i, a] += table.P[i, a, j] * extra(step)
    return table, replace(table, R=R)


def corner(state, action, after):
    """A detector that takes a corner, which can be entered again and again, for a subgoal."""
    return frozenset({"corner"} if after != state and (after.x, after.y) == (2, 0) else ())


def optima(credit, detect, bonus=0.5):
    made, hooks = subgoals(KeyDoor(size=3, slip=0.1), detect, credit=credit, bonus=bonus)
    table, moved = with_extra(made, hooks.extras[0])
    return table, value_iteration(table), value_iteration(moved)


@pytest.mark.paper("pignatelli2024ffp")
@pytest.mark.parametrize("accuracy", [1.0, 0.7])
def test_the_potential_leaves_the_optimum(accuracy):
    """Whatever the speaker says: V moves by the potential, and no best action changes."""
    table, plain, credited = optima("potential", Detector(KeyDoor(size=3, slip=0.1), Scripted(accuracy)))
    phi = np.array([0.0 if end else 0.5 * len(s[1]) for s, end in zip(table.states, table.terminal, strict=True)])
    assert phi.max() > 0
    assert credited.V == pytest.approx(plain.V - phi, abs=1e-6)
    alive = ~table.terminal
    assert (credited.policy[alive] == plain.policy[alive]).all()


@pytest.mark.paper("pignatelli2024ffp")
def test_a_bonus_that_is_paid_each_time_does_not():
    """Walking in and out of a corner for ever is worth more than the door."""
    table, plain, credited = optima("repeated", corner)
    begin = table.index()[(Place(1, 1), frozenset())]
    assert credited.V[begin] > 2.0
    assert plain.V[begin] < 1
    assert (credited.policy != plain.policy).any()


def test_a_bonus_that_is_paid_once_may_be_worth_a_detour():
    _, plain, credited = optima("once", corner)
    assert (credited.policy != plain.policy).any()
    _, plain, credited = optima("potential", corner)
    assert (credited.policy == plain.policy).all()


def test_right_subgoals_paid_once_are_credited_where_they_are_achieved():
    made, hooks = subgoals(KeyDoor(size=3), Detector(KeyDoor(size=3), Scripted(1.0)), credit="once", bonus=0.3)
    (bonus,) = hooks.extras
    key = frozenset({"pick up the key"})
    taken = Transition((Place(0, 0), frozenset()), 4, 0.0, (Place(0, 0, key=True), key), False, 0, 0)
    assert bonus(taken) == pytest.approx(0.3)
    assert bonus(replace(taken, state=taken.after, action=1, after=(Place(0, 1, key=True), key))) == 0
    assert made.describe(taken.after).endswith(
        "You hold the key. The door is at column 2, row 2. Done: pick up the key."
    )


def test_credit_helps():
    made, how = KeyDoor(size=4), Settings(episodes=20)
    remembering, hooks = subgoals(made, Detector(made, Scripted(1.0)))
    helped = sum(sum(q_learning(remembering, seed, how, hooks).returns) for seed in range(2))
    assert helped > 2 * sum(sum(q_learning(made, seed, how).returns) for seed in range(2))


def test_each_step_is_asked_about_once_and_idle_ones_never():
    detect = Detector(KeyDoor(size=3), Scripted(1.0))
    here = Place(0, 0)
    assert detect(here, 4, here._replace(key=True)) == {"pick up the key"}
    detect(here, 4, here._replace(key=True))
    assert detect(here, 0, here) == frozenset()
    assert detect.answers == [(True, True), (False, False)]

    class Silent(Scripted):
        def answer(self, questions):
            return [None] * len(questions)

    detect = Detector(KeyDoor(size=3), Silent(1.0))
    assert detect(here, 4, here._replace(key=True)) == frozenset()
    assert detect.answers == [(True, None), (False, None)]
