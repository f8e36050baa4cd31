"""What the rows of a conversation must be, by plain transformers alone: render, tokenise once, mark by characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.border.families import Family

Messages = Sequence[Mapping[str, Any]]
OPENING = "<think>\n"


@dataclass(frozen=True)
class Expected:
    """The text of a row, and the characters [start, end) of it that are the assistant's."""

    text: str
    spans: tuple[tuple[int, int], ...]


def render(tokenizer: Any, messages: Messages, arguments: Mapping[str, Any], *, asks: bool) -> str:
    """Return the text of a conversation, with `asks` followed by the generation prompt."""
    plain = [{k: v for k, v in m.items() if k != "trained"} for m in messages]
    return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=asks, **arguments))


def expected_rows(
    tokenizer: Any, family: Family, messages: Messages, first: int, arguments: Mapping[str, Any]
) -> list[Expected]:
    """Return one row with all answers from message `first` on, or one for each where the template rewrites history."""
    wanted = [
        i for i, m in enumerate(messages) if i >= first and m["role"] == "assistant" and m.get("trained", True) is True
    ]
    turns = [_turn(tokenizer, family, messages[: i + 1], arguments) for i in wanted]
    last = turns[-1].text
    if all(last.startswith(t.text[: t.spans[0][1]]) for t in turns):
        return [Expected(last, tuple(t.spans[0] for t in turns))]
    return turns


def _turn(tokenizer: Any, family: Family, messages: Messages, arguments: Mapping[str, Any]) -> Expected:
    asked = render(tokenizer, messages[:-1], arguments, asks=True)
    answered = render(tokenizer, messages, arguments, asks=False)
    if family.opens:
        answered = asked + _thought_and_answer(messages[-1]) + family.end
    assert answered.startswith(asked), "the family's template writes the answer otherwise than it calls for it"
    end = answered.rindex(family.end) + len(family.end)
    return Expected(answered, ((len(asked), end),))


def _thought_and_answer(message: Mapping[str, Any]) -> str:
    """What a model writes behind an opened thought."""
    content = str(message["content"])
    if "reasoning_content" in message:
        return f"{message['reasoning_content']}\n</think>\n\n{content}"
    return content.removeprefix("<think>").removeprefix("\n")


def tokens_of(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def marks_of(tokenizer: Any, expected: Expected) -> list[bool]:
    """Mark the tokens of the whole text that lie in a span or reach into one from before it.

    A special token that only swallows the white space of an answer marks the turn: it is not the answer's.
    """
    encoded = tokenizer(expected.text, add_special_tokens=False, return_offsets_mapping=True)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special} - {tokenizer.unk_token_id}
    marks = [
        any(start >= a and start < b or (start < a < end and token not in special) for a, b in expected.spans)
        for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    ]
    return [False, *marks[1:]]  # nothing stands before the first token that it could be predicted from


def check_row(tokenizer: Any, row: Any, expected: Expected) -> None:
    """The tokens are those of the joint text; all behind the end of the last turn may be left out."""
    joint, marks = tokens_of(tokenizer, expected.text), marks_of(tokenizer, expected)
    shown = tokenizer.convert_ids_to_tokens
    size = len(row.tokens)
    assert list(row.tokens) == joint[:size], f"{shown(list(row.tokens))} are not {shown(joint)}"
    assert not any(marks[size:]), f"{shown(list(row.tokens))} ends too early: {shown(joint)}"
    trained = [t for t, m in zip(row.tokens, row.trained, strict=True) if m]
    right = [t for t, m in zip(joint, marks, strict=True) if m]
    assert list(row.trained) == marks[:size], f"trained are {shown(trained)}, not {shown(right)}"
    assert row.written == row.trained
    _check_against_the_question(tokenizer, row, expected)


def _check_against_the_question(tokenizer: Any, row: Any, expected: Expected) -> None:
    """Where no token straddles the boundary, the tokens of the question alone say where the first answer begins."""
    asked = tokens_of(tokenizer, expected.text[: expected.spans[0][0]])
    if list(row.tokens[: len(asked)]) == asked:
        assert not any(row.trained[: len(asked)])
        assert row.trained[len(asked)] or len(asked) == 0
