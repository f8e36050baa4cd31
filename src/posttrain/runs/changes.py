"""Settings in which two runs, or two attempts of one, differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return every setting that differs, by its path, with both values; None for one that is absent."""
    old, new = flattened(before), flattened(now)
    return {
        key: (old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)
    }


def told(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Describe the differences, a line each: `train.steps: 9, was 5`; a section that came or went is one of them."""
    old, new = flattened(before), flattened(now)
    both = old.keys() | new.keys()
    sections = [key for key in sorted(both) if any(other.startswith(f"{key}.") for other in both)]  # null in one
    lines = [f"{key}: {'removed' if key in new else 'added'}" for key in sections]
    inside = tuple(f"{key}." for key in sections)
    others = {key: pair for key, pair in changes(before, now).items() if not f"{key}.".startswith(inside)}
    return lines + [f"{key}: {value!r}, was {was!r}" for key, (was, value) in others.items()]


def flattened(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings: `{"train": {"steps": 3}}` becomes `{"train.steps": 3}`."""
    settings: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            settings |= flattened(value, f"{prefix}{key}.")
        else:
            settings[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return settings
