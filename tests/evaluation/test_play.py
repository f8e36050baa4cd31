"""The loop over the questions of a suite."""

from __future__ import annotations

from posttrain.evaluation.suite import Suite, continued, user
from posttrain.records import Prompt
from tests.evaluation.scripted import answered

PROMPTS = [Prompt(i, user(f"{i}?")) for i in range(3)]


def test_every_question_is_asked_as_often_as_the_suite_says():
    items = answered(Suite(PROMPTS, samples=2), lambda item, asked: asked).items
    assert [(i.prompt.id, i.sample, i.text) for i in items] == [(p, k, f"{p}?") for p in range(3) for k in range(2)]


def test_a_suite_goes_on_until_an_item_is_over_and_never_beyond_its_turns():
    """Item 0 is over after one reply, item 1 after two; item 2 would go on for ever."""

    def follow(items):
        return [continued(i, "more?") if i.prompt.id == 2 or len(i.replies) <= i.prompt.id else None for i in items]

    items = answered(Suite(PROMPTS, follow=follow, turns=5), lambda item, asked: str(len(item.replies))).items
    assert [len(i.replies) for i in items] == [1, 2, 5]
    assert [m["content"] for m in items[1].conversation] == ["1?", "0", "more?", "1"]


def test_what_is_over_stays_over():
    """`follow` says None in the second turn only: nothing is asked in the third."""
    follow = lambda items: [None if len(items[0].replies) == 1 else user("?")]  # noqa: E731
    assert len(answered(Suite(PROMPTS[:1], follow=follow, turns=4), lambda item, asked: "x").items[0].replies) == 1
