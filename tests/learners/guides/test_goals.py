"""ELLM: what is suggested and not yet achieved pays, as far as it is alike what was done."""

from __future__ import annotations

import pytest

from posttrain.learners.guides.goals import Goals, Unrewarded, at_once, pretrained
from posttrain.learners.q_learning import Settings, Transition
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.cooking import Cooking, Kitchen

pytestmark = pytest.mark.paper("000:[16]")

TAKE = Transition(Kitchen(0, (0,)), 3, 0.0, Kitchen(0, (1,)), False, 0, 0)
IDLE = Transition(Kitchen(1, (0,)), 3, 0.0, Kitchen(1, (0,)), False, 0, 0)
WASH = Transition(Kitchen(0, (0,)), 6, 0.0, Kitchen(0, (0,), clean=True), False, 0, 0)


def goals(accuracy=1.0, **settings):
    made = Goals(Cooking(foods=1), Scripted(accuracy), **settings)
    made.begin(TAKE.state, 0)
    return made


def test_a_goal_pays_once_in_an_episode_and_again_in_the_next():
    made = goals()
    assert [made(TAKE), made(TAKE), made(IDLE), made(WASH)] == [1.0, 0.0, 0.0, 0.0]
    made.begin(TAKE.state, 1)
    assert made(TAKE) == 1.0
    assert made.reached == {"take the tomato": 2}


def test_without_the_filter_the_easiest_goal_pays_for_ever():
    made = goals(novel=False)
    assert [made(TAKE), made(TAKE)] == [1.0, 1.0]


def test_likeness_and_its_threshold():
    """Half the words are shared: it pays 0.5, unless T is above."""
    half = {"alike": lambda caption, goal: 0.5 if goal == "serve the dish" else 0.0}
    assert goals(threshold=0.4, **half)(TAKE) == 0.5
    assert goals(threshold=0.5, **half)(TAKE) == 0
    assert goals(threshold=1.0)(TAKE) == 0


def test_a_word_of_the_same_meaning_pays_by_likeness_only():
    near = {"alike": lambda caption, goal: 0.9 if (caption, goal) == ("take the tomato", "cook the tomato") else 0.0}
    assert goals(threshold=0.8, **near)(TAKE) == 0.9
    assert goals(threshold=0.99, **near)(TAKE) == 0


def test_goals_that_do_not_make_sense_are_not_suggested():
    assert "wash the spoon" not in goals().suggested(TAKE.state)
    assert goals(0.0).suggested(TAKE.state) == ("wash the spoon",)


def test_pretraining_has_no_reward_of_the_world_and_starts_what_follows():
    made, how = Cooking(foods=1), Settings(episodes=3)
    bare = Unrewarded(made)
    bare.reset(0)
    assert (bare.table().R == 0).all()
    assert (bare.describe(TAKE.state), bare.actions) == (made.describe(TAKE.state), made.actions)
    helper = goals()
    helped, alone = pretrained(made, helper, 0, how, 12), at_once(made, 0, how, 12)
    assert len(helped.returns) == len(alone.returns) == len(alone.steps) == 3
    assert helper.reached["serve the dish"] > 3
    assert sum(helped.returns) > sum(alone.returns)
    made.reset(0)
    made._state = Kitchen(0, (3,))
    assert made.step(7).reward == 1
    made._state = Kitchen(0, (3,))
    assert bare.step(7).reward == 0
