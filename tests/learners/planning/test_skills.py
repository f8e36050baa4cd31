"""Skills: their affordances are values, and their models are exact."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.planning.skills import Practised, Skill, option_model, practise, skill_values
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain

WORLD = Chain(length=4, slip=0.25, near=0.0)
TO_2 = Skill("go to place 2", (0, 1), lambda _, after: after == 2)
RIGHT = Skill("a step to the right", (1,), lambda before, after: after > before)


def always(skill, action):
    """A skill that takes one action everywhere."""
    row = [float(a == action) for a in skill.actions]
    return Practised(skill, dict.fromkeys(WORLD.table().states, row))


def test_an_affordance_is_the_discounted_probability_of_success():
    """Going right, with p = 3/4: c(1) = γ⁰ p + γ (1 - p) c(0), c(0) = γ p c(1) + γ (1 - p) c(0)."""
    practised = practise(WORLD, [TO_2], seed=0)[0]
    A = np.array([[1 - 0.95 * 0.25, -0.95 * 0.75], [-0.95 * 0.25, 1.0]])
    assert [practised.affordance(s) for s in (0, 1)] == pytest.approx(np.linalg.solve(A, [0.0, 0.75]), abs=0.06)
    assert practised.affordance("nowhere") == 0
    assert [practised.act(s) for s in (0, 1)] == [1, 1]


def test_affordances_stay_within_0_and_1():
    assert Practised(RIGHT, {0: [1.5], 1: [-0.5]}).affordance(0) == 1
    assert Practised(RIGHT, {0: [1.5], 1: [-0.5]}).affordance(1) == 0


def test_what_a_skill_of_one_step_leads_to():
    """From 1 a step to the right succeeds with 3/4; with 1/4 it slips to 0 and is tried again."""
    r, D = option_model(WORLD.table(), always(RIGHT, 1))
    again = 0.95 * 0.75 / (1 - 0.95 * 0.25)  # from 0 to 1, where a slip stays
    assert D[0] == pytest.approx([0, again, 0, 0])
    assert D[1] == pytest.approx([0, 0.95 * 0.25 * again, 0.95 * 0.75, 0])
    assert r[0] == 0
    assert r[2] == pytest.approx(0.75)  # the end of the chain earns 1; a slip leads to 1, and success there ends it


def test_with_every_action_as_a_skill_the_values_are_those_of_the_world():
    table = WORLD.table()
    skills = [
        always(Skill(name, (a,), lambda before, after: True), a)  # noqa: ARG005 -- every step is a success
        for a, name in enumerate(WORLD.actions)
    ]
    assert skill_values(table, skills)[:3] == pytest.approx(value_iteration(table).Q[:3])


def test_a_skill_that_never_succeeds_leads_nowhere():
    never = Skill("fly", (0,), lambda before, after: False)  # noqa: ARG005
    r, D = option_model(Chain(length=3, slip=0.0, near=0.0).table(), Practised(never, {}))
    assert not r.any()
    assert not D.any()
