"""Prompts, answers and conversations, as the cells of a row hold them. Nothing here knows the place of a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.chat.message import Note, ignore, is_message, kind_of, message
from posttrain.data.chat.tool_calls import from_json
from posttrain.data.chat.transcript import transcript
from posttrain.errors import DataError
from posttrain.records import Message, Turns
from posttrain.turns import is_prefilled

PYTHON = re.compile(r"\s*\[\s*\{\s*'(role|from|content|value)'\s*:")  # as pandas writes a list of messages to CSV


def turns(value: Any, name: str, note: Note = ignore) -> Turns:
    """Read a cell as plain text or as a conversation: a list of messages, one message, or a transcript of hh-rlhf."""
    if isinstance(value, str):
        listed = _listed(value)
        if listed is not None:
            note(f"{name!r} is a conversation as JSON text, and is read as one")
            return messages(listed, name, note)
        _refuse_python(value, name)
        return transcript(value) or value
    if isinstance(value, Sequence) or is_message(value):
        return messages(value, name, note)
    raise DataError(f"{name!r} must be text or a list of messages, not {kind_of(value)}")


def question(value: Any, name: str, note: Note = ignore) -> Turns:
    """Read a prompt as `turns` does. An empty `Assistant:` at the end of a transcript asks for the answer: no turn.

    Words of the assistant at the end of a prompt begin the answer. At the end of `messages` they are one.
    """
    asked = turns(value, name, note)
    if isinstance(value, str) and not isinstance(asked, str) and asked[-1] == {"role": "assistant", "content": ""}:
        asked = asked[:-1]
    if not asked or (isinstance(asked, str) and not asked.strip()):
        raise DataError(f"{name!r} is empty")
    if not isinstance(asked, str) and is_prefilled(asked):
        _check_prefill(asked[-1], name)
        note("the prompt ends with words of the assistant, and the answer continues them")
    return asked


def _check_prefill(message: Message, name: str) -> None:
    """Raise DataError for a last message of the assistant that is a whole answer, or nothing to continue."""
    if name == "messages":
        raise DataError(
            "'messages' ends with the assistant's turn, so there is nothing to answer; end with the user's, or call "
            "the column 'prompt' if the answer is to continue the assistant's words"
        )
    if message.get("tool_calls"):
        raise DataError(f"{name!r} ends with the call of a tool, which no answer continues; add the tool's result")
    if not message["content"].strip():
        raise DataError(f"{name!r} ends with an empty message of the assistant; leave it out")


def messages(value: Any, name: str, note: Note = ignore) -> tuple[Message, ...]:
    """Read a list of messages, also as JSON text, in which a CSV file holds it."""
    if is_message(value):
        value = [value]
    if isinstance(value, str):
        listed = _listed(value)
        value = value if listed is None else listed
        _refuse_python(value, name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"{name!r} must be a list of messages, not {kind_of(value)}")
    if not value:
        raise DataError(f"{name!r} is an empty list; a conversation has at least one message")
    return tuple(message(m, f"message {i} of {name!r}", note) for i, m in enumerate(value, 1))


def _listed(text: str) -> list[Mapping[str, Any]] | None:
    """Return the messages that a text holds as JSON; None for any other text."""
    if not text.lstrip().startswith(("[{", "[ {", "[\n")):
        return None
    listed = from_json(text)
    return listed if isinstance(listed, list) and listed and all(map(is_message, listed)) else None


def _refuse_python(value: Any, name: str) -> None:
    """Raise DataError for a conversation as Python prints it: read as plain text, it would be something else."""
    if isinstance(value, str) and PYTHON.match(value):
        raise DataError(
            f"{name!r} is a conversation as Python prints it, which is not JSON; write the column with json.dumps"
        )
