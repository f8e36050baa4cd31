"""Stories of false beliefs: their key, their controls, and scripted readers."""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import fmean

import pytest

from posttrain.evaluation.suites.capability.false_belief import WAYS, Event, belief, false_belief, last_place
from tests.evaluation.scripted import answered

SUITE = false_belief(stories=6)


def places(text):
    """The first place and the last one, read out of the story by itself."""
    story = text.rpartition("Q: ")[2]
    return re.search(r"puts the \w+ in the (\w+)", story)[1], re.search(r"to the (\w+)\.", story)[1]


def key(text):
    first, last = places(text)
    return last if "stays and watches" in text.rpartition("Q: ")[2] else first


@pytest.mark.paper("moghaddam20238is")
def test_the_key_is_what_a_reader_of_the_text_finds():
    found = answered(SUITE, lambda item, asked: f"Answer: {key(asked)}")
    assert found.numbers["accuracy"].mean == 1.0
    assert len(found.items) == 6 * 2 * 2 * len(WAYS)


@pytest.mark.paper("moghaddam20238is")
def test_who_follows_the_thing_and_not_the_person_fails_false_beliefs_only():
    numbers = answered(SUITE, lambda item, asked: places(asked)[1]).numbers
    assert numbers["accuracy[kind=false]"].mean == 0.0
    assert numbers["accuracy[kind=true]"].mean == 1.0


def test_the_words_of_a_story_alone_tell_nothing():
    """Any reader of the bag of words is right on half of the false beliefs, and on half of the controls."""
    answers = defaultdict(list)
    for p in SUITE.prompts:
        answers[p.columns["kind"], tuple(sorted(re.findall(r"\w+", p.prompt[0]["content"])))].append(
            p.columns["answer"]
        )
    for own in answers.values():
        assert len(own) == 2 * len(WAYS)
        assert fmean(a == own[0] for a in own) == 0.5


def test_the_effect_of_a_way_of_asking_is_paired_with_the_same_story():
    """Thinking step by step helps with false beliefs: 12 of 12 stories, p = 2/2^12; controls stay as they are."""
    say = lambda item, asked: key(asked) if "steps" in item["way"] else places(asked)[1]  # noqa: E731
    numbers = answered(SUITE, say).numbers
    effect = numbers["accuracy.false/steps"]
    assert (effect.mean, effect.n, effect.p_value) == (1.0, 12, 2 / 2**12)
    assert numbers["accuracy.false/shots"].mean == numbers["accuracy.true/steps"].mean == 0.0
    assert "Ida" in SUITE.ask(SUITE.prompts[2])[0]["content"]


def test_beliefs_are_followed_with_the_eyes_of_a_person():
    events = [Event("A", "puts", "box"), Event("A", "leaves"), Event("B", "moves", "bag"), Event("A", "returns")]
    assert belief(events, "A") == "box"
    assert belief(events, "B") == "bag"
    assert belief([*events, Event("B", "moves", "jar")], "A") == "jar"


def test_the_last_place_counts_unless_one_is_marked():
    assert last_place("not the box but the bag") == "bag"
    assert last_place("Answer: the box, although it is in the bag.\nQ: jar") == "box"
    assert last_place("somewhere") is None
