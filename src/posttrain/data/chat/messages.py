"""Prompts and answers together: one form for both, their order, and where the prompt ends and the answers begin.

Nothing here knows the file and line of a row; the caller adds them to the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from posttrain.errors import DataError
from posttrain.records import TRAINED, Answer, Message, Turns
from posttrain.turns import is_prefilled

OPENING = ("system", "developer")


def check_order(conversation: Sequence[Message]) -> None:
    """Check that the assistant speaks before a tool. The template judges the rest."""
    before = ""
    for number, message in enumerate(conversation, 1):
        role = message["role"]
        if role == "tool" and before not in ("assistant", "tool"):
            raise DataError(f"message {number} is a tool's result, but no assistant message stands before it")
        before = role


def nobody_asks(conversation: Sequence[Message]) -> bool:
    """Whether a conversation begins with the assistant, or holds nothing but system messages."""
    first = next((m["role"] for m in conversation if m["role"] not in OPENING), "assistant")
    return bool(first == "assistant")


def same_form(prompt: Turns, *answers: Turns, chat: bool = False) -> tuple[Turns, ...]:
    """Return prompt and answers in one form: conversations if any of them is one (or with `chat`), else plain text.

    Answers that begin by repeating the conversation of the prompt lose that beginning. If they hold more turns in front
    of it, such as a system message, these belong to the prompt.
    """
    if not chat and all(isinstance(t, str) for t in (prompt, *answers)):
        return prompt, *answers
    asked = _as_messages(prompt, "user")
    said = [_as_messages(answer, "assistant") for answer in answers]
    asked = _asked_in(said, asked) or asked
    return asked, *(_without_prompt(asked, answer) for answer in said)


def _as_messages(value: Turns, role: str) -> tuple[Message, ...]:
    return ({"role": role, "content": value},) if isinstance(value, str) else value


def _without_prompt(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    """Cut off the prompt, also one that is repeated without its system message, and the words that begin the answer."""
    bare = tuple(m for m in prompt if m["role"] not in OPENING)
    for asked in (prompt, bare):
        if asked and _said(answer[: len(asked)]) == _said(asked):
            return answer[len(asked) :]
        if is_prefilled(asked) and (rest := _continuation(asked, answer)):
            return rest
    return answer


def _continuation(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...] | None:
    """Return what continues the prefilled answer of a prompt where the answer repeats both; None where it does not."""
    *before, prefill = prompt
    whole = answer[len(before) : len(prompt)]
    if not before or not is_prefilled(whole) or _said(answer[: len(before)]) != _said(before):
        return None
    said = whole[0]["content"]
    if not said.startswith(prefill["content"]) or said == prefill["content"]:
        return None
    return ({**whole[0], "content": said.removeprefix(prefill["content"])}, *answer[len(prompt) :])


def _asked_in(answers: Sequence[tuple[Message, ...]], prompt: tuple[Message, ...]) -> tuple[Message, ...] | None:
    """Return the beginning of all answers that ends with the prompt and is longer; None where there is none."""
    if any(a[:1] and (a[0]["role"] == "assistant" or _without_prompt(prompt, a) != a) for a in answers):
        return None
    for size in range(len(prompt) + 1, min(map(len, answers), default=0)):
        beginning = answers[0][:size]
        if _said(beginning[-len(prompt) :]) == _said(prompt):
            return beginning if all(_said(a[:size]) == _said(beginning) for a in answers) else None
    return None


def _said(conversation: Sequence[Message]) -> list[Any]:
    """What a conversation says, without the white space around its messages and the keys of trainers."""
    return [(m["role"], m["content"].strip(), m.get("tool_calls")) for m in conversation]


def without_repeated(prompt: Turns, answers: Sequence[Turns], note: Callable[[str], None]) -> list[Turns]:
    """Cut a prompt in plain text off its answers in plain text, where all of them begin with it.

    A prompt of one or two words that is no question may be what the answers really begin with ("Hello"), and is kept.
    """
    if not (isinstance(prompt, str) and prompt.strip() and all(isinstance(a, str) for a in answers)):
        return list(answers)
    asked = prompt.rstrip()
    repeated = [a[len(asked) :] for a in answers if isinstance(a, str) and a.startswith(asked)]
    if len(repeated) < len(answers) or not all(a.strip() for a in repeated):
        return list(answers)
    if len(asked.split()) < 3 and asked[-1] not in ":=?":
        note("the answer begins with the prompt, which is short; it is kept")
        return list(answers)
    note("the answer repeats the prompt, which is cut off")
    return [a.removeprefix(prompt[len(asked) :]) for a in repeated]


def split_common(chosen: Turns, rejected: Turns) -> tuple[Turns, Turns, Turns]:
    """Split off the beginning that two answers share: return it as the prompt, then what follows in each answer.

    In texts it ends before the last white space in common, so that no word is cut in two; in conversations before
    the assistant's turns.
    """
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise DataError("one of 'chosen' and 'rejected' is text, the other a conversation; write both in the same way")
    size = 0
    while size < min(len(chosen), len(rejected)) and _alike(chosen[size], rejected[size]):
        size += 1
    if isinstance(chosen, str):
        size = _before_white_space(chosen, size)
    else:
        while size and chosen[size - 1]["role"] == "assistant":
            size -= 1
    if not size:
        raise DataError(
            "'prompt' is missing, and 'chosen' and 'rejected' share no beginning; add a column 'prompt', or name the "
            "one that holds it: columns: {prompt: ITS_NAME}"
        )
    return chosen[:size], chosen[size:], rejected[size:]


def _alike(one: str | Message, other: str | Message) -> bool:
    """Whether two characters or two messages are the same; white space around a message does not count."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return _said([one]) == _said([other])


def _before_white_space(text: str, size: int) -> int:
    while size and not text[size - 1].isspace():
        size -= 1
    return len(text[:size].rstrip())


def only_last_trained(conversation: Answer) -> Answer:
    """Mark every message of the assistant but the last as not trained."""
    if not isinstance(conversation, tuple):
        return conversation
    last = max((i for i, m in enumerate(conversation) if m["role"] == "assistant"), default=-1)
    earlier = [m["role"] == "assistant" and i < last for i, m in enumerate(conversation)]
    return tuple({**m, TRAINED: False} if mark else m for m, mark in zip(conversation, earlier, strict=True))
