"""Crafting: the shortest way to the pickaxe, what cannot be made, and the words."""

from __future__ import annotations

import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.crafting import Crafted, Crafting


def after(state, action, world=Crafting(slip=0.0)):  # noqa: B008
    ((p, there, reward),) = world.outcomes(state, world.actions.index(action))
    assert p == 1
    return there, reward


def test_the_pickaxe_takes_eleven_actions():
    """Two steps to the tree, two logs, two times planks, sticks, three steps to the workbench, and the pickaxe."""
    table = Crafting(slip=0.0).table()
    assert value_iteration(table).V[0] == pytest.approx(0.95**10)


def test_a_slip_costs_time():
    slow = value_iteration(Crafting(slip=0.5).table()).V[0]
    step = 0.95 * 0.5 / (1 - 0.95 * 0.5)  # the discounted probability that a step is made at last
    assert slow == pytest.approx(0.95**5 * step**5)


@pytest.mark.parametrize(
    ("state", "action", "there"),
    [
        (Crafted(0), "chop", Crafted(0, 1)),
        (Crafted(1), "chop", Crafted(1)),
        (Crafted(0, 2), "chop", Crafted(0, 2)),
        (Crafted(1, 1), "saw", Crafted(1, 0, 4)),
        (Crafted(1, 1, 5), "saw", Crafted(1, 1, 5)),
        (Crafted(1, 0, 4), "carve", Crafted(1, 0, 2, 4)),
        (Crafted(1, 0, 1), "carve", Crafted(1, 0, 1)),
        (Crafted(1, 0, 4, 2), "carve", Crafted(1, 0, 4, 2)),
        (Crafted(3, 0, 3, 2), "build", Crafted(3, 0, 0, 0, 1)),
        (Crafted(2, 0, 3, 2), "build", Crafted(2, 0, 3, 2)),
        (Crafted(3, 0, 2, 4), "build", Crafted(3, 0, 2, 4)),
        (Crafted(3, 0, 3, 1), "build", Crafted(3, 0, 3, 1)),
        (Crafted(0), "go to the left", Crafted(0)),
        (Crafted(3), "go to the right", Crafted(3)),
    ],
)
def test_what_an_action_makes(state, action, there):
    assert after(state, action) == (there, float(there.pickaxe))


def test_words():
    world = Crafting()
    assert world.describe(Crafted(0)) == "You are at the tree. You carry nothing."
    assert world.describe(Crafted(3, 1, 4)) == "You are at the workbench. You carry 1 log, 4 planks."
    assert world.describe(Crafted(2, 0, 0, 4)) == "You are 2 steps from the tree. You carry 4 sticks."
