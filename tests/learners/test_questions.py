"""Questions about a world: their words, and the truth that only a script reads."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.questions import Asked, floored, met, narrated_world, prior
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor, Place


class Unlisted(Chain):
    def table(self):
        raise ConfigError("no table")


def test_which_is_the_best():
    asked = Asked(Chain(length=4)).which(1)
    assert asked.text == (
        "The task: reach the far end of the chain, on the right.\n"
        "You are at place 1 of a chain of places 0 to 3, from left to right.\nWhich action is the best now?"
    )
    assert (asked.options, asked.truth, asked.wrong) == (("left", "right"), "right", ("left",))


def test_ties_are_not_wrong():
    asked = Asked(KeyDoor(size=5)).which(Place(2, 2))
    assert asked.truth == "up"
    assert asked.wrong == ("down", "right", "use")


def test_ratings():
    asked = Asked(KeyDoor(size=5))
    assert [asked.rate(Place(2, 2), a).truth for a in range(5)] == ["good", "bad", "good", "bad", "neutral"]
    assert "Is the action 'use' good, neutral or bad now?" in asked.rate(Place(2, 2), 4).text


def test_grades_rise_towards_the_goal():
    asked = Asked(Chain(length=8, slip=0.0))
    grades = [int(asked.grade(s).truth) for s in range(7)]
    assert grades == sorted(grades)
    assert (grades[0], grades[-1]) == (1, 5)
    assert Asked(Chain(length=2)).grade(0).truth == "5"


def test_a_world_without_a_table_has_no_truth():
    asked = Asked(Unlisted())
    for question in (asked.which(0), asked.rate(0, 1), asked.grade(0)):
        assert question.truth is None
        assert question.options


def test_where_states_cannot_be_listed_those_that_random_actions_meet_are_asked_about():
    assert set(Asked(Unlisted(length=4)).states()) == {0, 1, 2}
    assert Asked(Unlisted(length=4)).states() == Asked(Unlisted(length=4)).states()
    assert met(Chain(length=50), episodes=3, horizon=2)[0] == 0
    assert set(met(Chain(length=50), episodes=9, horizon=2)) <= {0, 1}
    assert len(met(Chain(length=50), most=1)) == 1


def test_a_prior_has_no_zeros():
    made = prior(Chain(length=4), Scripted(1.0), [0, 1, 2], least=0.1)
    assert list(made[0]) == pytest.approx([0.1, 0.9])
    assert list(floored([0.7, 0.3], 0.0)) == [0.7, 0.3]

    class Silent(Scripted):
        def probabilities(self, questions):
            return [None] * len(questions)

    assert list(prior(Chain(length=4), Silent(1.0), [0])[0]) == [0.5, 0.5]


def test_a_world_that_does_not_say_what_is_done():
    with pytest.raises(ConfigError, match="Chain does not say what a step has done"):
        narrated_world(Chain())
