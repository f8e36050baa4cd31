"""Llama 3, Granite, Command R: JSON that begins a line or follows a word for it, one call or a list of them.

Llama 3 writes `{"name": ..., "parameters": {...}}` alone or behind `<|python_tag|>`, several of them with `;` between.
"""

from __future__ import annotations

import re

from posttrain.environments.tools.json_text import NotJsonError, value_at
from posttrain.environments.tools.written import Schemas, Written, of_value

OPENER = r"(?:<\|python_tag\|>|<\|tool_call\|>|Action:|```json)"
BEGIN = re.compile(rf"(?:^|(?<=\n)|(?<=;)|{OPENER})(?:\s*{OPENER})*[ \t\n]*(?=[\[{{])")
LIKE = re.compile(r'[\[{\s]*"(?:name|type|function)"\s*:')  # what begins so is meant as a call
CLOSE = re.compile(r"[ \t\n]*(?:;|```)?")


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- JSON has types
    found: list[Written] = []
    while begin := BEGIN.search(text, start):
        calls = _calls(text, begin)
        found += calls
        start = calls[-1].end if calls else begin.end() + 1
    return found


def _calls(text: str, begin: re.Match[str]) -> list[Written]:
    """Return the calls that begin here; none where it is JSON that is no call."""
    opened = begin[0].strip() != ""
    if not opened and not LIKE.match(text, begin.end()):
        return []
    try:
        value, end = value_at(text, begin.end())
    except NotJsonError as error:
        return [Written(begin.start(), _line_end(text, begin.end()), fault=str(error))]
    close = CLOSE.match(text, end).end()  # type: ignore[union-attr]
    values = value if isinstance(value, list) else [value]
    calls = [of_value(begin.start(), close, each) for each in values]
    return calls or [Written(begin.start(), close, fault="the list of calls is empty")]


def _line_end(text: str, begin: int) -> int:
    following = BEGIN.search(text, begin + 1)
    return following.start() if following else len(text)
