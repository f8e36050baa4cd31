"""Mistral: `[TOOL_CALLS] [{"name": ..., "arguments": {...}}]`, or `[TOOL_CALLS]NAME[ARGS]{...}` in newer models."""

from __future__ import annotations

import re

from posttrain.environments.tools.json_text import NotJsonError, behind_space, value_at
from posttrain.environments.tools.written import Schemas, Written, of_value

OPEN = "[TOOL_CALLS]"
NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w*\s*)?(?:\[ARGS\])?\s*(?=\{)")


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- JSON has types
    found: list[Written] = []
    while (begin := text.find(OPEN, start)) >= 0:
        calls = _calls(text, begin)
        found += calls
        start = calls[-1].end
    return found


def _calls(text: str, begin: int) -> list[Written]:
    at = begin + len(OPEN)
    named = NAMED.match(text, at)
    try:
        value, end = value_at(text, named.end() if named else at)
    except NotJsonError as error:
        following = text.find(OPEN, at)
        return [Written(begin, following if following >= 0 else len(text), fault=str(error))]
    end = behind_space(text, end)
    if named:
        return [of_value(begin, end, {"name": named[1], "arguments": value})]
    values = value if isinstance(value, list) else [value]
    return [of_value(begin, end, each) for each in values] or [Written(begin, end, fault="the list of calls is empty")]
