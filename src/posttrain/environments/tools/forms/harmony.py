"""Harmony, of gpt-oss: a message to a function, `<|channel|>commentary to=functions.NAME<|message|>{...}<|call|>`.

The recipient may also stand before the channel. Other messages of the turn, thoughts and the answer, are no calls.
"""

from __future__ import annotations

import re

from posttrain.environments.tools.json_text import NotJsonError, behind_space, value_at
from posttrain.environments.tools.written import Schemas, Written, of_value

TO = r"(?:to=([\w.-]{1,200}))"
HEADER = re.compile(
    rf"(?:<\|start\|>)?(?:assistant)? ?{TO}? ?<\|channel\|>(?:analysis|commentary|final)? ?{TO}? ?"
    r"(?:<\|constrain\|>)?\w{0,20} ?<\|message\|>"
)
CLOSE = "<|call|>"


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- JSON has types
    found: list[Written] = []
    while header := HEADER.search(text, start):
        recipient = header[1] or header[2]
        if recipient:
            found.append(_call(text, header, recipient.removeprefix("functions.")))
        start = found[-1].end if recipient else header.end()
    return found


def _call(text: str, header: re.Match[str], name: str) -> Written:
    try:
        value, end = value_at(text, header.end())
    except NotJsonError as error:
        return Written(header.start(), _unread_end(text, header.end()), fault=str(error))
    close = behind_space(text, end)
    if text.startswith(CLOSE, close):
        return of_value(header.start(), close + len(CLOSE), {"name": name, "arguments": value})
    if close == len(text) or HEADER.match(text, close):
        return of_value(header.start(), close, {"name": name, "arguments": value})
    fault = f"{text[close : close + 20]!r} stands where {CLOSE} should"
    return Written(header.start(), _unread_end(text, close), fault=fault)


def _unread_end(text: str, at: int) -> int:
    """Return where an unreadable call ends: behind its closing token, before the next message, or at the end."""
    following = HEADER.search(text, at)
    most = following.start() if following else len(text)
    close = text.find(CLOSE, at, most)
    return close + len(CLOSE) if close >= 0 else most
