"""Which text counts as the prompt or the answer, of plain text, conversations and messages in parts."""

from __future__ import annotations

import pytest

from posttrain.records import Sampled
from posttrain.turns import (
    all_user_messages,
    answer_text,
    content,
    conversation,
    is_prefilled,
    joined,
    last_message,
    last_user_message,
    under,
)

TALK = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is 2 + 2?"},
    {"role": "assistant", "content": "4"},
    {"role": "user", "content": "And 3 + 3?"},
    {"role": "assistant", "content": "", "tool_calls": [{"name": "add"}]},
    {"role": "tool", "content": "6"},
)


@pytest.mark.parametrize("read", [last_message, last_user_message, all_user_messages, answer_text])
def test_plain_text_is_itself(read):
    assert read("\n What is 2 + 2? ") == "\n What is 2 + 2? "


@pytest.mark.parametrize("read", [last_message, last_user_message, all_user_messages, answer_text])
def test_an_empty_conversation_says_nothing(read):
    assert read(()) == ""


def test_each_reader_takes_its_own_message_of_a_conversation():
    assert last_message(TALK) == "6"
    assert last_user_message(TALK) == "And 3 + 3?"
    assert all_user_messages(TALK) == "What is 2 + 2?\nAnd 3 + 3?"
    assert answer_text(TALK[2:3]) == "4"


def test_parts_of_a_message_that_are_not_text_are_left_out_of_the_prompt():
    parts = [{"type": "text", "text": "la"}, {"type": "image"}, {"type": "text", "text": "st"}]
    assert last_user_message((*TALK, {"role": "user", "content": parts})) == "last"


def test_where_no_user_speaks_the_last_message_is_the_prompt():
    assert last_user_message(TALK[:1]) == "Be brief."
    assert all_user_messages(TALK[:1]) == ""


def test_the_answer_of_several_turns_is_its_last_message_and_not_what_the_user_says_in_between():
    assert answer_text((*TALK[2:4], {"role": "assistant", "content": "6"})) == "6"


def test_a_sampled_answer_says_what_was_sampled():
    assert answer_text(Sampled((7, 8), " 4")) == " 4"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"role": "user", "content": "a"}, "a"),
        ({"role": "assistant", "content": None, "tool_calls": [{}]}, ""),
        ({"role": "assistant", "tool_calls": [{}]}, ""),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image", "text": "x"}, {"text": "b"}]},
            "ab",
        ),
    ],
)
def test_the_content_of_a_message_is_its_text(message, text):
    assert content(message) == text


def test_a_conversation_is_the_prompt_and_the_answer():
    answer = {"role": "assistant", "content": "4"}
    assert conversation("2 + 2?", "4") == ({"role": "user", "content": "2 + 2?"}, answer)
    assert conversation(TALK[:2], "4") == (*TALK[:2], answer)


def test_an_answer_that_the_prompt_begins_is_one_message():
    prefill = ({"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "It is", "trained": False})
    assert is_prefilled(prefill)
    assert not is_prefilled(prefill[:1])
    assert not is_prefilled("It is")
    whole = {"role": "assistant", "content": "It is 4."}
    assert conversation(prefill, " 4.") == (prefill[0], whole)
    assert joined(prefill, ({**whole, "content": " 4."}, *TALK[3:])) == (prefill[0], whole, *TALK[3:])
    assert joined(prefill, TALK[3:4]) == (*prefill, TALK[3])  # a question ends it


USER, SYSTEM = {"role": "user", "content": "1+1?"}, {"role": "system", "content": "Be kind."}


def test_where_a_prompt_stands():
    assert under("1+1?", "Add.") == "Add.\n1+1?"
    assert under((USER,), "Add.") == ({"role": "system", "content": "Add."}, USER)
    assert under((SYSTEM, USER), "Add.") == ({"role": "system", "content": "Add.\n\nBe kind."}, USER)


@pytest.mark.parametrize("turns", ["1+1?", (USER,), (SYSTEM, USER)])
def test_an_empty_prompt_changes_nothing(turns):
    assert under(turns, "") == turns
