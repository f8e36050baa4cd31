"""What a parser finds in a text: calls with their places, those that it cannot read, and what is left beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.environments.tools.json_text import NotJsonError

Schemas = Sequence[Mapping[str, Any]]
NAMES = ("arguments", "parameters")


@dataclass(frozen=True)
class Written:
    """The characters [start, end) of a text: a call of `name`, or one that cannot be read, as `fault` says."""

    start: int
    end: int
    name: str = ""
    arguments: Mapping[str, Any] | None = None
    fault: str = ""


Read = Callable[[str, int, Schemas], Sequence[Written]]
"""Find the calls of a text from a character on; the schemas say which types arguments have that are written bare."""


def of_value(start: int, end: int, value: Any) -> Written:
    """Make a call of {"name", "arguments"}; some models write `parameters`, or wrap both in {"function": ...}."""
    try:
        return Written(start, end, *_named(value))
    except NotJsonError as error:
        return Written(start, end, fault=str(error))


def _named(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, Mapping) and isinstance(value.get("function"), Mapping):
        value = value["function"]
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str) or not value["name"]:
        raise NotJsonError('it is no object with a "name"')
    given = [key for key in NAMES if key in value]
    if other := sorted(value.keys() - {"name", "id", "type", *given}):
        raise NotJsonError(f'it has the key {other[0]!r} beside "name" and "arguments"')
    if len(given) > 1:
        raise NotJsonError('it has both "arguments" and "parameters"')
    arguments = value[given[0]] if given else {}
    if not isinstance(arguments, Mapping):
        raise NotJsonError(f"its {given[0]!r} are no object")
    return value["name"], arguments
