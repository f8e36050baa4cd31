"""Calls of tools in the assistant's messages. Arguments that are JSON text become objects, which templates expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from posttrain.errors import DataError


def calls(value: Any, name: str) -> list[dict[str, Any]]:
    """Read a list of calls: {"type": "function", "function": {"name", "arguments"}} or {"name", "arguments"} alone."""
    found = from_json(value)
    found = [found] if isinstance(found, Mapping) else found
    if not isinstance(found, list | tuple):
        raise DataError(f"{name} must be a list of calls, not {value!r:.80}")
    return [_call(call, f"{name}: call {i}") for i, call in enumerate(found, 1)]


def called(value: Any, name: str) -> list[dict[str, Any]]:
    """Read {"name", "arguments"}, a list of them, or either as JSON text, in the form of `tool_calls`."""
    return [c if "function" in c else {"type": "function", "function": c} for c in calls(value, name)]


def _call(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f'{name} must be an object with "name" and "arguments", not {value!r:.80}')
    if isinstance(inner := value.get("function"), Mapping):
        return {**value, "function": _function(inner, name)}
    return _function(value, name)


def _function(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(value.get("name"), str):
        raise DataError(f"{name} has no name of a function")
    if isinstance(arguments := value.get("arguments"), str):
        parsed = from_json(arguments) if arguments.strip() else {}  # a call without arguments
        return {**value, "arguments": parsed if isinstance(parsed, Mapping) else arguments}
    return dict(value)


def from_json(value: Any) -> Any:
    """Return what a JSON text holds; anything else, text that is not JSON included, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return value


def _refuse(literal: str) -> Any:
    raise ValueError(literal)
