"""Hermes, Qwen: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, one for each call."""

from __future__ import annotations

from posttrain.environments.tools.json_text import NotJsonError, behind_space, value_at
from posttrain.environments.tools.written import Schemas, Written, of_value

OPEN, CLOSE = "<tool_call>", "</tool_call>"


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- JSON has types
    found: list[Written] = []
    while (begin := text.find(OPEN, start)) >= 0:
        found.append(_call(text, begin))
        start = found[-1].end
    return found


def _call(text: str, begin: int) -> Written:
    try:
        value, end = value_at(text, begin + len(OPEN))
    except NotJsonError as error:
        return Written(begin, unread_end(text, begin), fault=str(error))
    end = behind_space(text, end)
    if text.startswith(CLOSE, end):
        return of_value(begin, end + len(CLOSE), value)
    if end == len(text):  # the turn ended instead
        return of_value(begin, end, value)
    fault = f"{text[end : end + 20]!r} stands where {CLOSE} should"
    return Written(begin, unread_end(text, end), fault=fault)


def unread_end(text: str, begin: int) -> int:
    """Return where an unreadable call ends: behind its closing tag, before the next opening one, or at the end."""
    close, following = text.find(CLOSE, begin), text.find(OPEN, begin + 1)
    if close >= 0 and (following < 0 or close < following):
        return close + len(CLOSE)
    return following if following >= 0 else len(text)
