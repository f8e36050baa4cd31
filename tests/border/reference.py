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
    joint = Expected(last, tuple(t.spans[0] for t in turns))
    stable = all(last.startswith(t.text[: t.spans[0][1]]) for t in turns)
    return [joint] if stable and not is_straddled(tokenizer, joint) else turns


def is_straddled(tokenizer: Any, expected: Expected) -> bool:
    """Whether a token of the whole text straddles the beginning of an answer, or its end."""
    whole = tokens_of(tokenizer, expected.text)
    parts = (tokens_of(tokenizer, expected.text[:edge]) for span in expected.spans for edge in span)
    return any(whole[: len(part)] != part for part in parts)


def _turn(tokenizer: Any, family: Family, messages: Messages, arguments: Mapping[str, Any]) -> Expected:
    asked = render(tokenizer, messages[:-1], arguments, asks=True)
    answered = render(tokenizer, messages, arguments, asks=False)
    if family.opens:
        answered = asked + _thought_and_answer(messages[-1]) + family.end
    assert answered.startswith(asked), "the family's template writes the answer otherwise than it calls for it"
    end = answered.rindex(family.end) + len(family.end)
    return Expected(answered, ((len(asked), end),))


def whole_answer(tokenizer: Any, family: Family, messages: Messages, arguments: Mapping[str, Any], prefill: str) -> str:
    """Return the text of a conversation whose answer begins as in `prefill`, and which ends with that answer."""
    answered = render(tokenizer, messages, arguments, asks=False)
    if family.opens and not answered.startswith(prefill):
        answered = (
            render(tokenizer, messages[:-1], arguments, asks=True) + _thought_and_answer(messages[-1]) + family.end
        )
    return answered


def _thought_and_answer(message: Mapping[str, Any]) -> str:
    """What a model writes behind an opened thought."""
    content = str(message["content"])
    if "reasoning_content" in message:
        return f"{message['reasoning_content']}\n</think>\n\n{content}"
    return content.removeprefix("<think>").removeprefix("\n")


def tokens_of(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def marks_of(tokenizer: Any, expected: Expected) -> list[bool]:
    """Mark the tokens of the whole text that lie in a span; none may straddle the beginning or the end of one."""
    edges = [[len(tokens_of(tokenizer, expected.text[:edge])) for edge in span] for span in expected.spans]
    size = len(tokens_of(tokenizer, expected.text))
    return [i > 0 and any(start <= i < end for start, end in edges) for i in range(size)]


def check_row(tokenizer: Any, row: Any, expected: Expected) -> None:
    """The row is the joint text, tokenised once, up to the end of its last answer; what stands behind may be left out.

    Where a token would straddle the beginning of its answer, the prompt has the tokens that the model reads when it is
    asked, and the answer follows behind them.
    """
    if is_straddled(tokenizer, expected):
        ((start, end),) = expected.spans
        read = tokens_of(tokenizer, expected.text[:start])
        assert list(row.tokens[: len(read)]) == read
        if not any(token == tokenizer.unk_token_id for token in row.tokens):
            said = "".join(tokenizer.decode([*row.tokens[len(read) :]]).split())
            assert said.replace("##", "") == "".join(expected.text[start:end].split())
        marks = [i >= len(read) for i in range(len(row.tokens))]
    else:
        size = len(tokens_of(tokenizer, expected.text[: expected.spans[-1][1]]))
        assert list(row.tokens) == tokens_of(tokenizer, expected.text)[:size], _shown(tokenizer, row.tokens)
        marks = marks_of(tokenizer, expected)[:size]
    assert list(row.trained) == [False, *marks[1:]], f"{_shown(tokenizer, row.tokens)} for {expected}"
    assert row.written == row.trained


def _shown(tokenizer: Any, tokens: Sequence[int]) -> list[str]:
    return list(tokenizer.convert_ids_to_tokens(list(tokens)))
