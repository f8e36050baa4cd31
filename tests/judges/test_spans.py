"""A critic that quotes parts of answers: where quotes stand, what refuses or is unreadable, and the reward of a run."""

from __future__ import annotations

import pytest

from posttrain.endpoint.failure import ReplyError
from posttrain.judges.spans import located
from posttrain.rewards.bundled.judge_spans import judge_spans
from posttrain.rewards.verdicts import Spans
from tests.endpoint.server import Server, think
from tests.judges.fake import shown

pytestmark = pytest.mark.paper("cao2024lh3", "cao2024jcn")


def quoting(body):
    """Praise every `good`, blame every `bad`, and invent a quote where the answer says `lie`."""
    answer = shown(body)["answer"]
    if answer == "unreadable":
        return {"good": "good"}
    return {
        "reason": "",
        "good": ["good"] * answer.count("good") + ["x9"] * ("lie" in answer),
        "bad": ["bad"] * ("bad" in answer),
    }


def test_quotes_become_spans_of_the_answer_and_an_empty_critique_no_number():
    with Server(think(quoting)) as server:
        made = judge_spans(
            ["q"] * 4, ["a good, bad good", "plain", "a lie", "unreadable"], endpoint=server.endpoint(), good=2.0
        )
    assert made[:3] == [Spans([(2, 6, 2.0), (12, 16, 2.0), (8, 11, -1.0)]), Spans([]), Spans([])]
    assert isinstance(made[3], ReplyError)
    assert made.watched["missed"] == [0.0, 0.0, 1.0, None]
    assert made[1].total == 0


def test_a_quote_given_twice_is_the_next_place_and_white_space_is_none():
    found = located({"good": ["ab", "ab", "ab", " "], "bad": ["b"]}, "ab ab")
    assert (found.parts, found.missed) == (((0, 2, True), (3, 5, True), (1, 2, False)), 1)
