"""Imagined rollouts: what is read, what is plausible, and what is learned from it."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.planning.imagined import (
    best_path,
    compared,
    grounding,
    imagine,
    offline_q,
    plausible,
    reached,
    read_steps,
    straight,
    written,
)
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.goal_grid import GoalGrid

pytestmark = pytest.mark.paper("000-text:KALM")
WORLD = GoalGrid(target=(2, 2), size=3, wall=[(1, 1)])
PATH = [((0, 0), 3, (1, 0)), ((1, 0), 3, (2, 0)), ((2, 0), 1, (2, 1)), ((2, 1), 1, (2, 2))]
TEXT = "(0,0) east; (1,0) east; (2,0) south; (2,1) south; (2,2)"


def test_the_codec_goes_both_ways():
    assert written(PATH) == TEXT
    assert read_steps(TEXT) == PATH
    for start in WORLD.cells():
        if start != WORLD.target:
            assert read_steps(written(best_path(WORLD, start))) == best_path(WORLD, start)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "(0,0) east",
        "(0,0) up; (0,1)",
        "(0,0) east; (1,0) east",
        "go east; (1,0)",
        "(0,0); (1,0)",
        "(0,-1) east; (1,0)",
    ],
)
def test_what_is_no_rollout_is_not_read(text):
    assert read_steps(text) is None


@pytest.mark.parametrize(
    ("steps", "known", "good"),
    [
        (PATH, {}, True),
        (PATH[1:], {}, False),  # it begins elsewhere
        ([((0, 0), 3, (0, 1))], {}, False),  # another way than the move
        ([((0, 0), 0, (0, 0))], {}, True),  # a move that leads nowhere
        ([((0, 0), 0, (0, -1))], {}, False),
        ([((0, 0), 1, (0, 3))], {}, False),
        ([((0, 0), 1, (0, 1)), ((0, 1), 3, (1, 1))], {}, True),  # nobody has met the wall
        ([((0, 0), 1, (0, 1)), ((0, 1), 3, (1, 1))], {((0, 1), 3): (0, 1)}, False),
    ],
)
def test_what_is_plausible(steps, known, good):
    assert plausible(steps, (0, 0), 3, known) is good


def test_nobody_leaves_the_grid():
    assert not plausible([((2, 0), 3, (3, 0))], (2, 0), 3, {})
    assert plausible([((2, 0), 3, (3, 0))], (2, 0), 4, {})


def test_offline_values_on_all_steps_are_those_of_the_world():
    steps = [(c, a, WORLD.moved(c, a)) for c in WORLD.cells() if c != WORLD.target for a in range(4)]
    q, table = offline_q(steps, WORLD.target, WORLD.discount), WORLD.table()
    exact = value_iteration(table).Q
    for row, cell in enumerate(table.states):
        if cell != WORLD.target:
            assert [q[cell][a] for a in range(4)] == pytest.approx(exact[row])


def test_actions_that_the_data_do_not_hold_are_never_taken():
    q = offline_q(PATH, (2, 2), 0.9)
    assert q == {
        (0, 0): {3: pytest.approx(0.9**3)},
        (1, 0): {3: pytest.approx(0.81)},
        (2, 0): {1: 0.9},
        (2, 1): {1: 1.0},
    }
    assert reached(WORLD, q) == 4 / 7
    assert reached(WORLD, {}) == 0


def test_a_rollout_that_ends_elsewhere_earns_nothing():
    assert offline_q(PATH[:2], (2, 2), 0.9) == {(0, 0): {3: 0.0}, (1, 0): {3: 0.0}}


def test_the_walls_are_not_known_to_who_walks_straight():
    assert written(straight((0, 1), (2, 2))) == "(0,1) east; (1,1) east; (2,1) south; (2,2)"
    assert written(straight((2, 2), (1, 0))) == "(2,2) west; (1,2) north; (1,1) north; (1,0)"
    assert straight((1, 0), (1, 0)) == []


def test_a_speaker_that_is_right_tells_shortest_rollouts():
    starts = [(0, 0), (0, 1)]
    assert [len(read_steps(t)) for t in imagine(Scripted(1.0), WORLD, starts)] == [4, 3]
    assert written(best_path(WORLD, (0, 1))) not in imagine(Scripted(0.0), WORLD, starts)


def test_texts_to_fine_tune_on_are_of_four_kinds():
    rows = grounding(WORLD, seed=0, count=2)
    assert len(rows) == 8
    assert rows[1]["completion"] == f" {WORLD.goal}"
    assert rows[2]["completion"].strip() in rows[1]["prompt"]
    assert rows[3]["completion"] == " (2,2)"
    assert grounding(WORLD, seed=0, count=2) == rows


def test_goals_that_nobody_has_tried_are_reached_by_imagination():
    made = compared(WORLD, Scripted(1.0), [0, 1], tried=2, rollouts=4, imagined=7)
    assert made.helped == [1.0, 1.0]
    assert max(made.alone) < 0.7
    assert made.numbers["dropped"] == 0
    assert compared(WORLD, Scripted(0.0), [0, 1, 2, 3], tried=4, rollouts=7, imagined=7).numbers["dropped"] > 0


@pytest.mark.parametrize("tried", [0, 8])
def test_one_goal_must_be_tried_and_one_be_left(tried):
    with pytest.raises(ConfigError, match=r"procedure.tried: \d of 8 goals"):
        compared(WORLD, Scripted(1.0), [0], tried=tried, rollouts=1, imagined=1)


def test_large_grids_are_crossed_too():
    """32 moves from corner to corner."""
    world = GoalGrid(target=(16, 16), size=17, wall=[])
    path = best_path(world, (0, 0))
    assert (len(path), path[-1][2]) == (32, (16, 16))
    q = offline_q(path, world.target, 0.9)
    assert q[0, 0][path[0][1]] == pytest.approx(0.9**31)
    assert reached(world, q) == 32 / 288
