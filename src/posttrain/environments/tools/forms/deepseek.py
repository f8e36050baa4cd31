"""DeepSeek: `<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME` and JSON in a fence; from V3.1 on NAME and bare JSON."""

from __future__ import annotations

import re

from posttrain.environments.tools.json_text import NotJsonError, value_at
from posttrain.environments.tools.written import Schemas, Written, of_value

OPEN = "<｜tool▁call▁begin｜>"
BEGIN = re.compile(rf"(?:<｜tool▁calls▁begin｜>\s*)?{OPEN}")
NAMED = re.compile(
    r"\s*(?:function<｜tool▁sep｜>\s*([\w.-]{1,200})\s*(?:```(?:json)?\s*)?|([\w.-]{1,200})\s*<｜tool▁sep｜>\s*)"
)
END = re.compile(r"\s*(?:```)?\s*(?:<｜tool▁call▁end｜>|$)(?:\s*<｜tool▁calls▁end｜>)?")


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- JSON has types
    found: list[Written] = []
    while begin := BEGIN.search(text, start):
        found.append(_call(text, begin))
        start = found[-1].end
    return found


def _call(text: str, begin: re.Match[str]) -> Written:
    named = NAMED.match(text, begin.end())
    if named is None:
        return Written(begin.start(), _unread_end(text, begin.end()), fault=f"no name follows {OPEN}")
    try:
        value, end = value_at(text, named.end())
    except NotJsonError as error:
        return Written(begin.start(), _unread_end(text, named.end()), fault=str(error))
    close = END.match(text, end)
    if close is None:
        fault = f"{text[end : end + 20]!r} stands where <｜tool▁call▁end｜> should"
        return Written(begin.start(), _unread_end(text, end), fault=fault)
    return of_value(begin.start(), close.end(), {"name": named[1] or named[2], "arguments": value})


def _unread_end(text: str, at: int) -> int:
    """Return where an unreadable call ends: before the next one, or at the end."""
    following = text.find(OPEN, at)
    return following if following >= 0 else len(text)
