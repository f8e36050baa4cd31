"""A rule-based reward model: the class of an answer, looked up in the table of the prompt's kind."""

from __future__ import annotations

import pytest

from posttrain.endpoint.failure import ReplyError
from posttrain.errors import ConfigError
from posttrain.rewards.bundled.judge_classes import REWARDS, judge_classes
from tests.endpoint.server import Server, think
from tests.judges.fake import shown

pytestmark = pytest.mark.paper("002:GPT-4")


def first_word(body):
    return {"reason": "", "class": shown(body)["answer"].split()[0]}


def scores(answers, kinds, **settings):
    with Server(think(first_word)) as server:
        made = judge_classes(["q"] * len(answers), answers, kinds, endpoint=server.endpoint(), **settings)
        return made, server.bodies


def test_each_class_has_its_reward_by_the_kind_of_the_prompt():
    answers = [f"{name} text" for name in REWARDS["harmful"]]
    made, bodies = scores(answers * 2, ["harmful"] * 4 + ["benign"] * 4)
    assert made == [1.0, 0.0, -1.0, 0.0, -1.0, -1.0, -1.0, 1.0]
    assert made.watched["refusal"] == [1.0, 0.0, 0.0, 0.0] * 2
    assert "evasion: it refuses in a bad style" in bodies[0]["messages"][0]["content"]


def test_no_kind_abstains_unasked_and_a_class_outside_the_table_is_an_error_of_its_answer():
    made, bodies = scores(["safe a", "nonsense b", "safe c"], [None, "benign", "benign"])
    assert (made[0], made[2]) == (None, 1.0)
    assert isinstance(made[1], ReplyError)
    assert len({shown(b)["answer"] for b in bodies}) == 2


def test_a_table_and_classes_of_ones_own():
    own = {"classes": {"yes": "agrees", "no": "disagrees"}, "rewards": {"any": {"yes": 2, "no": -1}}}
    assert scores(["no", "yes"], ["any", "any"], **own)[0] == [-1.0, 2.0]
    with pytest.raises(ConfigError, match="rewards.any is for yes; the classes are yes, no"):
        scores(["yes"], ["any"], **{**own, "rewards": {"any": {"yes": 1}}})
    with pytest.raises(ConfigError, match="the column kind says 'rude'; rewards knows harmful, benign"):
        scores(["safe"], ["rude"])
