"""The kitchen: the way to the dish, what is said of it, and what leads away."""

from __future__ import annotations

import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.cooking import Cooking, Kitchen


def test_the_way_to_the_dish():
    made = Cooking(foods=2)
    state = made.reset(0)
    said = []
    for name in ("go to the shelf", "take the tomato", "go to the board", "chop the tomato", "go to the stove"):
        step = made.step(made.actions.index(name))
        said.append(made.caption(state, made.actions.index(name), step.state))
        state = step.state
    assert said == ["", "take the tomato", "", "chop the tomato", ""]
    step = made.step(made.actions.index("serve the dish"))
    assert (step.reward, step.done) == (0, False)
    made.step(made.actions.index("cook the tomato"))
    step = made.step(made.actions.index("serve the dish"))
    assert (step.reward, step.done) == (1, True)


def test_the_optimum_is_the_length_of_the_way():
    table = Cooking(foods=1).table()
    assert value_iteration(table).V[0] == pytest.approx(0.95**6)
    assert len(table.states) == 3 * 4 * 2 + 6  # and the ends: three places, the spoon clean or dirty


def test_things_are_done_in_their_place_and_order():
    made = Cooking(foods=1)
    assert made.outcomes(Kitchen(1, (0,)), 4) == [(1.0, Kitchen(1, (0,)), 0.0)]
    assert made.outcomes(Kitchen(0, (1,)), 4) == [(1.0, Kitchen(0, (1,)), 0.0)]
    assert made.outcomes(Kitchen(1, (1,)), 4) == [(1.0, Kitchen(1, (2,)), 0.0)]
    assert made.caption(Kitchen(1, (0,)), 4, Kitchen(1, (0,))) == ""


def test_the_recipe_is_what_serves():
    made = Cooking(foods=3, recipe=2)
    assert made.goal == "serve a dish of tomato and onion"
    assert "cook the onion" in made.subgoals
    assert "cook the carrot" in set(made.goals) - set(made.subgoals)
    assert not made.outcomes(Kitchen(0, (3, 2, 0)), len(made.actions) - 1)[0][2]
    assert made.outcomes(Kitchen(0, (3, 3, 0)), len(made.actions) - 1)[0][2]


def test_words():
    made = Cooking(foods=2)
    assert made.describe(Kitchen(2, (2, 0))) == (
        "You stand at the stove; the tomato is chopped, the onion is on the shelf, the spoon is dirty."
    )
    assert made.describe(Kitchen(2, (3, 0), served=True)).endswith("The dish is served.")
