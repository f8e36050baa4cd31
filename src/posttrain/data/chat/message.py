"""One message of a conversation, from the ways in which files write it, as the chat template reads it.

The speaker is `role` or ShareGPT's `from`, the text `content` or `value`. Parts of a content are joined; only text is
read. Old names of roles and calls become those of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.data.chat.tool_calls import called, calls
from posttrain.errors import DataError, suggestion
from posttrain.records import TRAINED, Message

Note = Callable[[str], None]  # takes a notice about the row

ROLES = ("system", "developer", "user", "assistant", "tool")
SPEAKER, TEXT = ("role", "from", "speaker", "user"), ("content", "value", "text", "message")
CALL = ("function_call", "tool_call")  # roles of the assistant's calls in ShareGPT; the text is the call as JSON
SYNONYMS = {
    **dict.fromkeys(("human", "prompter"), "user"),
    **dict.fromkeys(("gpt", "chatgpt", "bard", "bing", "bot", "model", *CALL), "assistant"),
    **dict.fromkeys(("function", "observation", "tool_response", "function_response", "ipython"), "tool"),
}
WEIGHTS = ("weight", "train", "trainable", "loss", TRAINED)  # keys that leave a message out of the loss
KEYS = {"name", "tool_calls", "tool_call_id", "reasoning_content", "reasoning", "thinking", "tool_plan", TRAINED}
MEDIA = ("image", "audio", "video", "file")


def ignore(notice: str) -> None:
    """Take a notice and forget it."""


def is_message(value: Any) -> bool:
    """Whether a cell is a single message, not a list of them."""
    return isinstance(value, Mapping) and any(isinstance(value.get(key), str) for key in SPEAKER)


def message(value: Any, name: str, note: Note = ignore) -> Message:
    """Read a message: `role`, `content`, the keys that templates read, and TRAINED: False where no loss may use it.

    `name`: how errors call it. `note` takes notices about keys.
    """
    if not isinstance(value, Mapping):
        raise DataError(f'{name} must be an object with "role" and "content", not {kind_of(value)}')
    rest = {k: v for k, v in value.items() if v is not None}
    speaker = _first(rest, SPEAKER)
    role = _role(rest.pop(speaker, value.get("role")), name)
    trained = _trained(rest, role, name, note)
    _read_calls(rest, value.get(speaker), name)
    content = rest.pop(_first(rest, TEXT), None)
    for key in sorted(map(str, rest.keys() - KEYS)):
        note(f"the key {key!r} of a message is read by nothing but the chat template")
    mark = {} if trained else {TRAINED: False}
    return {"role": role, **rest, "content": _content(content, name, calls="tool_calls" in rest), **mark}


def _first(value: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((key for key in keys if key in value), keys[0])


def _role(value: Any, name: str) -> str:
    role = SYNONYMS.get(value.lower(), value.lower()) if isinstance(value, str) else value
    if role not in ROLES:
        hint = suggestion(value, ROLES) if isinstance(value, str) else ""
        raise DataError(f"{name} has the role {value!r}{hint}; roles are {', '.join(ROLES)}")
    return str(role)


def _trained(rest: dict[str, Any], role: str, name: str, note: Note) -> bool:
    """Take the keys that say whether a message is trained, and return what they say; True where there are none."""
    said = {key: rest.pop(key) for key in WEIGHTS if key in rest}
    for key, value in said.items():
        if isinstance(value, str) or value not in (0, 1):
            raise DataError(
                f"{name}: {key!r} is {value!r}; a message is trained (1 or true) or not (0 or false), weights in "
                "between are not supported"
            )
        if role != "assistant" and value:
            note(f"{key!r} of a {role} message is not read: only what the assistant says is trained")
    if len({bool(value) for value in said.values()}) > 1:
        raise DataError(f"{name}: {' and '.join(map(repr, said))} contradict each other; keep one of them")
    return role != "assistant" or all(said.values())


def _read_calls(rest: dict[str, Any], speaker: Any, name: str) -> None:
    """Bring the calls of the assistant into the form `tool_calls`."""
    if isinstance(speaker, str) and speaker.lower() in CALL:
        rest["tool_calls"] = called(rest.pop(_first(rest, TEXT), None), f"{name}: the call")
    elif "function_call" in rest:
        rest["tool_calls"] = called(rest.pop("function_call"), f"{name}: 'function_call'")
    elif "tool_calls" in rest:
        rest["tool_calls"] = calls(rest["tool_calls"], f"{name}: 'tool_calls'")


def _content(value: Any, name: str, *, calls: bool) -> str:
    if value is None and calls:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "type" in value:
        value = [value]
    if not isinstance(value, Sequence):
        hint = "; write the object as JSON text" if isinstance(value, Mapping) else ""
        raise DataError(f"{name}: 'content' must be text, not {kind_of(value)}{hint}")
    return "".join(_part(part, f"{name}: part {i} of 'content'") for i, part in enumerate(value, 1))


def _part(part: Any, name: str) -> str:
    """Return the text of one part. DataError for images and whatever else is no text."""
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise DataError(f"{name} must be text, not {kind_of(part)}")
    form = part.get("type", "text")
    text = part.get("text", part.get("content"))
    if form in ("text", "input_text", "output_text") and isinstance(text, str):
        return text
    if any(isinstance(form, str) and medium in form for medium in MEDIA):
        raise DataError(f"{name} is of type {form!r}, and posttrain reads text only; remove it, or leave the row out")
    raise DataError(f'{name} is of type {form!r}; only {{"type": "text", "text": ...}} is read')


def kind_of(value: Any) -> str:
    """Name the type of a JSON value: a number, an object, null."""
    names = {"NoneType": "null", "bool": "true or false", "int": "a number", "float": "a number", "dict": "an object"}
    return names.get(type(value).__name__, f"a {type(value).__name__}")
