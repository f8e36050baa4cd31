"""Messages, written short."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]
TOOL = {"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": {}}}


def system(text: str) -> Message:
    return {"role": "system", "content": text}


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def says(text: str, **rest: Any) -> Message:
    return {"role": "assistant", "content": text, **rest}


def calls(arguments: Any, content: str = "") -> Message:
    """A call of the weather, with arguments as an object or as text."""
    call = {"type": "function", "id": "call00000", "function": {"name": "weather", "arguments": arguments}}
    return says(content, tool_calls=[call])


def result(text: str) -> Message:
    return {"role": "tool", "name": "weather", "content": text, "tool_call_id": "call00000"}
