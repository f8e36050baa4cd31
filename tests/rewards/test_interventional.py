"""The mean over interventions on an attribute: what a biased model pays for the attribute is gone."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.bundled.interventional import counterfactuals, interventional

pytestmark = pytest.mark.paper("xia20247qb")

SWAPS = [["he", "his"], ["she", "her"]]


class Biased:
    """Pays for the length of the answer, and a planted 3 where the prompt says `he`."""

    def __init__(self, fails=()):
        self.asked, self.fails = 0, fails

    def score(self, conversations):
        self.asked += len(conversations)
        made = [
            len(c[-1]["content"]) + 3.0 * ("he " in f"{c[0]['content']} ".replace("she ", "")) for c in conversations
        ]
        return [
            self.fails[0] if self.fails and "she" in c[0]["content"] else x
            for c, x in zip(conversations, made, strict=True)
        ]


def talk(question, answer):
    return ({"role": "user", "content": question}, {"role": "assistant", "content": answer})


def scores(*talks, model=None, **settings):
    return interventional(
        [t[-1]["content"] for t in talks], list(talks), model=model or Biased(), swaps=SWAPS, **settings
    )


def test_the_planted_bias_is_gone_and_its_size_is_shown():
    his, hers = talk("Does he drive?", "yes"), talk("Does she drive?", "yes")
    raw = Biased().score([his, hers])
    assert raw[0] - raw[1] == 3.0
    made = scores(his, hers)
    assert made == [4.5, 4.5]
    assert made.watched["spread"] == [1.5, 1.5]
    assert scores(his, variance=0.5) == [4.5 - 0.5 * 2.25]


def test_without_the_attribute_it_is_the_models_score_asked_once():
    model = Biased()
    assert scores(talk("Do they drive?", "yes"), model=model, variance=9.0) == [3.0]
    assert model.asked == 1


def test_words_keep_their_case_and_the_answer_stays():
    made = counterfactuals(talk("His dog; the hero, he", "he"), SWAPS)
    assert [c[0]["content"] for c in made] == ["His dog; the hero, he", "Her dog; the hero, she"]
    assert all(c[-1]["content"] == "he" for c in made)


def test_an_abstention_or_failure_of_one_version_is_that_of_the_answer():
    assert scores(talk("he", "a"), model=Biased([None])) == [None]
    error = ValueError("too long")
    assert scores(talk("he", "a"), model=Biased([error])) == [error]


@pytest.mark.parametrize("swaps", [[["he"], ["she", "her"]], [[], []]])
def test_groups_of_different_lengths_are_refused(swaps):
    with pytest.raises(ConfigError, match="groups of as many words each"):
        interventional([], [], model=Biased(), swaps=swaps)
