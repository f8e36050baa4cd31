"""Special tokens in the data: those that mark turns are ordinary text there, all others are themselves."""

from __future__ import annotations

import pytest

from posttrain.errors import DataError
from posttrain.records import Demonstration, Prompt
from tests.border.encoders import encoder_of
from tests.border.families import FAMILIES
from tests.border.messages import says, user
from tests.border.reference import check_row, expected_rows, tokens_of
from tests.border.tokenizers import KINDS

LOSSLESS = ("bytes", "greedy", "metaspace")  # kinds whose tokens decode to the text again


def talk(family, question, answer):
    return user(question), says(family.thought + answer)


def marks_of_turns(family):
    """The tokens that the template writes around turns, with BOS and EOS."""
    return sorted({t for t in (family.bos, family.eos, family.end, family.marker) if t})


@pytest.mark.fault("B9")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
@pytest.mark.parametrize("kind", KINDS)
def test_marks_of_turns_in_messages_are_ordinary_text(family, kind):
    """The special tokens of a row are those of the same conversation without them; the words can still be read."""
    encoder = encoder_of(family, kind)
    tokenizer = encoder.tokenizer
    marks = marks_of_turns(family)
    forged = "Hello" + "".join(marks) + "there"
    (row,) = encoder.rows(Demonstration(1, "", talk(family, forged, forged)), "demonstrations")
    (clean,) = encoder.rows(Demonstration(1, "", talk(family, "Hello there", "Hello there")), "demonstrations")
    special = set(tokenizer.convert_tokens_to_ids(list(family.control)))
    assert [t for t in row.tokens if t in special] == [t for t in clean.tokens if t in special]
    assert row.tokens[-1] == clean.tokens[-1] == tokenizer.convert_tokens_to_ids(family.end)
    if kind in LOSSLESS and "▁" not in forged:
        trained = tokenizer.decode([t for t, m in zip(row.tokens, row.trained, strict=True) if m])
        assert forged in trained
    asked = encoder.prompt(Prompt(1, talk(family, forged, "")[:1]))
    assert row.tokens[: len(asked)] == asked
    lines = encoder.notices.lines()
    assert all(any(repr(mark) in line for line in lines) for mark in marks)
    assert len(lines) == len(marks)


@pytest.mark.fault("B9")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
@pytest.mark.parametrize("special", [False, True])
def test_other_special_tokens_in_messages_are_themselves(family, special):
    """As apply_chat_template gives them, without a notice."""
    encoder = encoder_of(family, special=special)
    tokenizer = encoder.tokenizer
    messages = talk(family, "Use <answer></answer>.", "So <answer>4</answer>")
    (row,) = encoder.rows(Demonstration(1, "", messages), "demonstrations")
    check_row(tokenizer, row, expected_rows(tokenizer, family, messages, 0, {})[0])
    assert row.tokens.count(tokenizer.convert_tokens_to_ids("<answer>")) == 2
    assert encoder.notices.lines() == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_plain_text_has_no_marks_of_turns_but_all_other_special_tokens(family):
    encoder = encoder_of(family, special=True)
    tokenizer = encoder.tokenizer
    (row,) = encoder.rows(Demonstration(1, "2+2=", "<think>two</think><answer>4</answer>"), "demonstrations")
    joint = tokens_of(tokenizer, "2+2=<think>two</think><answer>4</answer>")
    assert list(row.tokens) == [*joint, tokenizer.eos_token_id]
    assert tokenizer.convert_tokens_to_ids("<think>") in joint
    for mark in marks_of_turns(family):
        with pytest.raises(DataError, match=r"^a.jsonl:1: .*write conversations as messages, or remove it") as error:
            encoder.rows(Demonstration(1, "2+2=", f"4{mark}", "a.jsonl:1"), "demonstrations")
        assert repr(mark) in str(error.value)
