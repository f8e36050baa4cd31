"""Conversations: what makes one valid, and the other formats in which files write them.

Nothing here knows the file and line of a row; the caller adds them to the errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.errors import DataError, suggestion
from posttrain.records import Message, Turns

ROLES = ("system", "developer", "user", "assistant", "tool")
OPENING = ("system", "developer")  # roles of a first message only
SHAREGPT_ROLES = {"human": "user", "gpt": "assistant"}  # the other roles have their usual names
TRANSCRIPT_ROLES = {"Human": "user", "Assistant": "assistant"}
TRANSCRIPT_TURN = re.compile(r"\n\n(Human|Assistant):")


def turns(value: Any, name: str) -> Turns:
    """Read a cell as plain text or as a conversation. Transcripts in the style of hh-rlhf become conversations."""
    if isinstance(value, str):
        return transcript(value) or value
    if isinstance(value, Sequence):
        return messages(value, name)
    raise DataError(f"{name!r} must be text or a list of messages, not {_kind(value)}")


def question(value: Any, name: str) -> Turns:
    """Read a prompt as `turns` does. An empty `Assistant:` at the end of a transcript asks for the answer: no turn."""
    asked = turns(value, name)
    if isinstance(value, str) and not isinstance(asked, str) and asked[-1] == {"role": "assistant", "content": ""}:
        asked = asked[:-1]
    if not asked or (isinstance(asked, str) and not asked.strip()):
        raise DataError(f"{name!r} is empty")
    if not isinstance(asked, str) and asked[-1]["role"] == "assistant":
        raise DataError(f"{name!r} ends with the assistant's turn, so there is nothing to answer; end with the user's")
    return asked


def messages(value: Any, name: str) -> tuple[Message, ...]:
    """Read a list of {"role": ..., "content": ...}. Other keys (tool calls, names) go to the chat template."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"{name!r} must be a list of messages, not {_kind(value)}")
    if not value:
        raise DataError(f"{name!r} is an empty list; a conversation has at least one message")
    return tuple(_message(m, f"message {i} of {name!r}") for i, m in enumerate(value, 1))


def _message(value: Any, name: str) -> Message:
    if not isinstance(value, Mapping):
        raise DataError(f'{name} must be an object with "role" and "content", not {_kind(value)}')
    role, content = value.get("role"), value.get("content")
    if role not in ROLES:
        hint = suggestion(role, ROLES) if isinstance(role, str) else ""
        raise DataError(f"{name} has the role {role!r}{hint}; roles are {', '.join(ROLES)}")
    if content is None and value.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        raise DataError(f"{name}: 'content' must be text, not {_kind(content)}")
    # In Parquet a key that only other messages have is null.
    return {k: v for k, v in value.items() if v is not None} | {"content": content}


def check_order(conversation: Sequence[Message]) -> None:
    """Check the order of roles: one system message at most and first, then the user; a tool after the assistant."""
    before = ""
    for number, message in enumerate(conversation, 1):
        role = message["role"]
        if role in OPENING and number > 1:
            raise DataError(f"message {number} is a {role} message; only the first message can be one")
        if role == "assistant" and before in ("", *OPENING):
            raise DataError(f"message {number} is the assistant's, but nobody has asked; begin with a user message")
        if role == "tool" and before not in ("assistant", "tool"):
            raise DataError(f"message {number} is a tool's result, but no assistant message stands before it")
        before = role


def same_form(prompt: Turns, *answers: Turns, chat: bool = False) -> tuple[Turns, ...]:
    """Return prompt and answers in one form: conversations if any of them is one (or with `chat`), else plain text.

    Answers that begin by repeating the conversation of the prompt lose that beginning.
    """
    if not chat and all(isinstance(t, str) for t in (prompt, *answers)):
        return prompt, *answers
    asked = _as_messages(prompt, "user")
    return asked, *(_without_prompt(asked, _as_messages(answer, "assistant")) for answer in answers)


def _as_messages(value: Turns, role: str) -> tuple[Message, ...]:
    return ({"role": role, "content": value},) if isinstance(value, str) else value


def _without_prompt(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    return answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer


def split_common(chosen: Turns, rejected: Turns) -> tuple[Turns, Turns, Turns]:
    """Split off the beginning that two answers share: return it as the prompt, then what follows in each answer.

    In texts it ends before the last white space in common, so that no word is cut in two; in conversations before
    the assistant's turns.
    """
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise DataError("one of 'chosen' and 'rejected' is text, the other a conversation; write both in the same way")
    size = 0
    while size < min(len(chosen), len(rejected)) and chosen[size] == rejected[size]:
        size += 1
    if isinstance(chosen, str):
        size = _before_white_space(chosen, size)
    else:
        while size and chosen[size - 1]["role"] == "assistant":
            size -= 1
    if not size:
        raise DataError("'prompt' is missing, and 'chosen' and 'rejected' share no beginning; add a column 'prompt'")
    return chosen[:size], chosen[size:], rejected[size:]


def _before_white_space(text: str, size: int) -> int:
    while size and not text[size - 1].isspace():
        size -= 1
    return len(text[:size].rstrip())


def transcript(text: str) -> tuple[Message, ...] | None:
    r"""Read `\n\nHuman: ...\n\nAssistant: ...` as messages; None for any other text."""
    if not text.startswith("\n\nHuman:"):
        return None
    parts = TRANSCRIPT_TURN.split(text)[1:]
    return tuple(
        {"role": TRANSCRIPT_ROLES[speaker], "content": content.strip()}
        for speaker, content in zip(parts[::2], parts[1::2], strict=True)
    )


def sharegpt(value: Any) -> list[Any]:
    """Read `conversations`, a list of {"from": ..., "value": ...}, as messages that are still to be checked."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"'conversations' must be a list of messages, not {_kind(value)}")
    return [
        {"role": SHAREGPT_ROLES.get(m["from"], m["from"]), "content": m.get("value")}
        if isinstance(m, Mapping) and isinstance(m.get("from"), str)
        else m
        for m in value
    ]


def alpaca_history(value: Any) -> list[Message]:
    """Read Alpaca's `history`, a list of [question, answer], as the turns before the instruction."""
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"'history' must be a list of [question, answer], not {_kind(value)}")
    said: list[Message] = []
    for number, pair in enumerate(value, 1):
        if not (isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(x, str) for x in pair)):
            raise DataError(f"pair {number} of 'history' must be [question, answer], not {pair!r:.80}")
        said += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return said


def system_message(value: Any) -> Message | None:
    """Read the column `system`; None where it is null or empty."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        raise DataError(f"'system' must be text, not {_kind(value)}")
    return {"role": "system", "content": value}


def with_system(message: Message, value: Any, name: str) -> list[Any]:
    """Put a system message before a prompt or a conversation that has none of its own."""
    asked = turns(value, name)
    rest = [{"role": "user", "content": asked}] if isinstance(asked, str) else list(asked)
    if rest and rest[0]["role"] in OPENING:
        raise DataError(f"a system message stands in the column 'system' and in {name!r}; remove one of the two")
    return [message, *rest]


def _kind(value: Any) -> str:
    names = {"NoneType": "null", "bool": "true or false", "int": "a number", "float": "a number", "dict": "an object"}
    return names.get(type(value).__name__, f"a {type(value).__name__}")
