"""Text that a model or a stranger wrote, made fit to be shown. The templates escape HTML; this is about the rest."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

from posttrain.viewer.terminal import UNSAFE, escape, number

LONGEST = 20_000  # characters of one text on a page


def shown(value: Any, limit: int = LONGEST) -> str:
    """Return text with control characters and direction overrides escaped, and cut with a word if it is long."""
    text = value if isinstance(value, str) else plain(value)
    cut = len(text) > limit
    safe = "".join(escape(c) if c not in "\n\t" and category(c) in UNSAFE else c for c in text[:limit])
    return f"{safe}\n[cut here: {limit:,} of {len(text):,} characters are shown]" if cut else safe


def plain(value: Any) -> str:
    """Return a value as text: nothing for None, else JSON."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def figure(value: Any) -> str:
    """Return a number with three digits, and whatever else a file holds in its place as short text."""
    return number(value) if value is None or isinstance(value, int | float) else shown(value, 40)


def messages(turns: Any) -> list[tuple[str, str]]:
    """Return the role and the words of each message; plain text has no role."""
    if not isinstance(turns, list):
        return [("", turns if isinstance(turns, str) else plain(turns))]
    return [(str(m.get("role", "")), said(m)) if isinstance(m, dict) else ("", plain(m)) for m in turns]


def said(message: dict[str, Any]) -> str:
    """Return the words of a message, and whatever else it holds as JSON."""
    content = message.get("content")
    words = content if isinstance(content, str) else plain(content)
    others = {k: v for k, v in message.items() if k not in ("role", "content") and v is not None}
    return "\n".join(part for part in (words, plain(others) if others else "") if part)
