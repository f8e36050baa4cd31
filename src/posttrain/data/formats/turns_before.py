"""Turns that stand before a prompt in columns of their own: `system`, and `history`, pairs or messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from posttrain.data.cells import Cells
from posttrain.data.chat.message import is_message, kind_of
from posttrain.data.chat.messages import OPENING
from posttrain.data.chat.reading import messages, turns
from posttrain.data.chat.tool_calls import from_json
from posttrain.errors import DataError
from posttrain.records import Message

OTHER_SYSTEM = ("system_prompt", "system_message")  # as OpenOrca and others call it


def put(cells: Cells) -> None:
    """Put them before the prompt or the conversation of the row, which becomes a conversation if it is text."""
    for name in ("prompt", "messages"):
        if name in cells:
            _rename_system(cells)
            before = _history(cells.rest.get("history")) if name == "prompt" else []
            system = _system(cells.rest.get("system"))
            if before or system:
                cells.put(name, _joined(system, before, turns(cells.take(name), name, cells.note), name))
                cells.drop("system", *(["history"] if before else []))
            return


def _rename_system(cells: Cells) -> None:
    """Read the column `system` from one of another name that holds something, with a notice."""
    for name in OTHER_SYSTEM:
        if isinstance(text := cells.rest.get(name), str) and text.strip() and not cells.rest.get("system"):
            cells.put("system", cells.take(name))
            cells.note(f"the column {name!r} is read as 'system'")


def _joined(system: list[Message], before: list[Message], asked: Any, name: str) -> list[Message]:
    rest = [{"role": "user", "content": asked}] if isinstance(asked, str) else list(asked)
    if system and rest and rest[0]["role"] in OPENING:
        if rest[0]["content"].strip() != system[0]["content"].strip():
            raise DataError(f"a system message stands in the column 'system' and in {name!r}; remove one of the two")
        rest = rest[1:]
    return [*system, *before, *rest]


def _system(value: Any) -> list[Message]:
    """Read the column `system`; nothing where it is null or empty."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if not isinstance(value, str):
        raise DataError(f"'system' must be text, not {kind_of(value)}")
    return [{"role": "system", "content": value}]


def _history(cell: Any) -> list[Message]:
    """Read the column `history`: pairs or messages, also as JSON text; nothing where it is null or empty."""
    value = from_json(cell)
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"'history' must be a list of [question, answer] or of messages, not {kind_of(value)}")
    if value and is_message(value[0]):
        return list(messages(value, "history"))
    said: list[Message] = []
    for number, pair in enumerate(value, 1):
        if not (isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(x, str) for x in pair)):
            raise DataError(f"pair {number} of 'history' must be [question, answer], not {pair!r:.80}")
        said += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return said
