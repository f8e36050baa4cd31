"""JSON that a model wrote: strict, so that nothing of it is dropped without a word."""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100  # objects within objects: more breaks what walks through them
SPACE = re.compile(r"\s*")


class NotJsonError(ValueError):
    """A text is not the JSON that it should be; the message says why, for the model to read."""


def value_at(text: str, start: int) -> tuple[Any, int]:
    """Read the JSON value that begins at `start`, white space aside, and return it with where it ends.

    Raises NotJsonError, also for a key that is there twice, for NaN, and for what is nested too deeply.
    """
    begin = behind_space(text, start)
    try:
        value, end = DECODER.raw_decode(text, begin)
    except RecursionError:
        raise NotJsonError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at character {error.pos - begin + 1}") from None
    except ValueError as error:  # a key twice, NaN, or a number of thousands of digits
        raise NotJsonError(str(error)) from None
    if text.count("[", begin, end) + text.count("{", begin, end) > DEEPEST and _depth(value) > DEEPEST:
        raise NotJsonError("it is nested too deeply")
    return value, end


def _depth(value: Any) -> int:
    """Return how many objects and lists lie within each other, without recursion."""
    level, depth = [value], 0
    while level := [x for x in level if isinstance(x, dict | list)]:
        level = [x for each in level for x in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


def behind_space(text: str, start: int) -> int:
    """Return where the white space ends that begins at `start`, if any does."""
    match = SPACE.match(text, start)
    return match.end() if match else start


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _refuse(literal: str) -> Any:
    raise ValueError(f"{literal} is no number of JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)
