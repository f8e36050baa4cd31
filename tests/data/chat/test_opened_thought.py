"""Answers behind a thought that the template has opened."""

import pytest

from posttrain.data.chat.opened_thought import behind_opening
from posttrain.errors import DataError

ASKED, ANSWERED = "<U>2+2?<A><think>\n", "<U>2+2?<A>4<E>"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": "<think>\ntwo\n</think>\n\n4"}, "two\n</think>\n\n4<E>"),
        ({"content": "two\n</think>\n\n4"}, "two\n</think>\n\n4<E>"),
        ({"content": "<think>\n\n\ntwo\n</think>\n\n4"}, "\n\ntwo\n</think>\n\n4<E>"),
        ({"content": "4", "reasoning_content": "two\n"}, "two\n</think>\n\n4<E>"),
    ],
)
def test_the_rest_of_the_thought_is_the_answer(message, expected):
    assert behind_opening(ASKED, ANSWERED, message) == ASKED + expected


def test_an_answer_that_begins_as_the_opening_and_an_empty_one():
    assert behind_opening(ASKED, "<U>2+2?<A><t>4<E>", {"content": "a</think><t>4"}) == ASKED + "a</think><t>4<E>"
    assert behind_opening(ASKED, "<U>2+2?<A><E>", {"content": "a</think>"}) == ASKED + "a</think><E>"


def test_a_history_that_keeps_the_end_of_the_thought():
    answered = "<U>2+2?<A></think>4<E>"
    assert behind_opening(ASKED, answered, {"content": "<think>\ntwo</think>4"}) == ASKED + "two</think>4<E>"


def test_an_answer_without_a_thought_is_refused():
    with pytest.raises(DataError, match="opens a thought with <think> .* write <think>...</think> before the answer"):
        behind_opening(ASKED, ANSWERED, {"content": "4"})


def test_other_words_before_the_answer_are_no_thought():
    assert behind_opening("<U>2+2?<A>: ", ANSWERED, {"content": "4"}) is None
