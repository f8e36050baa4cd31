"""A grid with a goal: distances around the wall."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.lookup import world
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.goal_grid import GoalGrid


def test_a_cell_is_worth_its_distance():
    world = GoalGrid(target=(4, 2))
    table = world.table()
    value = dict(zip(table.states, value_iteration(table).V, strict=True))
    assert value[4, 1] == pytest.approx(1.0)
    assert value[3, 2] == pytest.approx(1.0)
    assert value[1, 2] == pytest.approx(0.9**6)  # 7 steps around the wall, and not 3
    assert value[4, 2] == 0


def test_nobody_enters_the_wall_or_leaves_the_grid():
    world = GoalGrid()
    assert len(world.cells()) == 22
    assert world.moved((1, 2), 3) == (1, 2)
    assert world.moved((0, 0), 0) == (0, 0)
    assert world.moved((0, 4), 1) == (0, 4)
    assert world.moved((0, 0), 1) == (0, 1)
    assert world.moved((3, 3), 2) == (3, 3)
    assert world.moved((3, 3), 3) == (4, 3)


def test_words():
    world = GoalGrid(target=(1, 3), size=6)
    assert world.goal == "go to column 1 row 3"
    assert world.describe((2, 0)) == "You are in column 2 row 0 of 6."


def test_cells_may_be_written_as_in_a_run_file():
    made = world("goal_grid", {"target": [0, 1], "size": 2, "wall": [[1, 1]]})
    assert (made.target, made.wall, made.goal) == ((0, 1), frozenset({(1, 1)}), "go to column 0 row 1")
    assert made.outcomes((0, 0), 1) == [(1.0, (0, 1), 1.0)]


@pytest.mark.parametrize("target", [(2, 2), (5, 0), (0, -1)])
def test_a_goal_that_nobody_can_reach_is_an_error(target):
    with pytest.raises(ConfigError, match=r"the target .* is in the wall or off a grid of 5 by 5"):
        GoalGrid(target=target)
