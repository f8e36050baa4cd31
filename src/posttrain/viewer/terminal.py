"""Text for a terminal: control characters escaped, numbers and durations shortened."""

from __future__ import annotations

import math
import unicodedata

# Control, format (bidirectional overrides, zero width), surrogate, line and paragraph separator.
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escaped(text: str) -> str:
    """Return untrusted text with its control characters escaped: ESC becomes `\\x1b`."""
    return "".join(escape(c) if unicodedata.category(c) in UNSAFE else c for c in text)


def escape(character: str) -> str:
    """Return a character as Python writes it in a string: `\\n`, `\\x1b`, `\\u202e`."""
    return character.encode("unicode_escape").decode("ascii")


def number(value: float | str | None) -> str:
    """Return a number with three digits: `0.412`, `17`, `1.23k`, `5e-07`; a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return escaped(value)
    size = abs(value)
    if not math.isfinite(size):
        return str(value)
    if size < 1000:
        return f"{value:.3g}"
    for limit, divisor, letter in ((999.5e3, 1e3, "k"), (999.5e6, 1e6, "M"), (999.5e9, 1e9, "G")):
        if size < limit:
            return f"{value / divisor:.3g}{letter}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """Return seconds as `0:07`, `12:04`, `3:25:00` or `2d 03:25`."""
    minutes, second = divmod(int(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02d}:{minute:02d}"
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
