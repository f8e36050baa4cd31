"""A run file in the making, with the origin of every value and the remarks for its reader."""

from __future__ import annotations

from typing import Any


class Draft:
    """Values by dotted key, in the order in which they were set, and what the reader has to know besides."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.missing: list[str] = []
        self.differs: list[str] = []
        self.without: list[str] = []
        self.unknown: list[str] = []
        self.idle: list[str] = []

    def set(self, key: str, value: Any, origin: str) -> None:
        """Set a key of the run file; `origin` is its comment. The first value of a key counts."""
        if key not in self.values:
            self.values[key] = value
            self.origins[key] = origin

    def method(self, path: str, origin: str, **settings: tuple[Any, str]) -> None:
        """Set the method and its settings, each with its origin. A double underscore stands for a dot."""
        self.set("method.path", path, origin)
        for name, (value, source) in settings.items():
            self.set(f"method.{name.replace('__', '.')}", value, source)

    def fill_in(self, key: str, value: Any, what: str) -> None:
        """Set a key that the configuration does not tell and that the reader has to fill in, unless it is set."""
        if key in self.values:
            return
        self.set(key, value, "to be filled in")
        self.missing.append(f"{key}: {what}")

    def differ(self, remark: str) -> None:
        """Note where the same setting means something else here."""
        if remark not in self.differs:
            self.differs.append(remark)

    def lose(self, key: str, value: Any, why: str) -> None:
        """Note a setting that has no counterpart."""
        self.without.append(f"{key}: {short(value)}: {why}")

    def nested(self) -> dict[str, Any]:
        """Return the run file as nested mappings; settings of the method keep their dotted names."""
        tree: dict[str, Any] = {}
        for key, value in self.values.items():
            section, _, rest = key.partition(".")
            names = [section, rest] if section == "method" else key.split(".")
            inner = tree
            for name in names[:-1]:
                inner = inner.setdefault(name, {})
            inner[names[-1]] = value
        return tree


def short(value: Any) -> str:
    """Return a value in at most 60 characters, as YAML writes it."""
    text = str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
