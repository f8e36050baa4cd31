"""The keys of one object of a feedback file, read strictly: each has a type, and one that is left over is an error."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from posttrain.errors import DataError, suggestion


class Fields:
    """The keys of an object. `name` says in messages which object it is; a key that is null counts as missing."""

    def __init__(self, value: Any, name: str) -> None:
        if not isinstance(value, Mapping):
            raise DataError(f"{name!r} must be an object, not {value!r:.80}")
        self.name = name
        self.left = {key: x for key, x in value.items() if x is not None}
        self.asked: list[str] = []

    def take(self, key: str) -> Any:
        """Take a key; None where it is missing."""
        self.asked.append(key)
        return self.left.pop(key, None)

    def need(self, key: str) -> Any:
        """Take a key. DataError where it is missing."""
        if key not in self.left:
            raise DataError(f"{self.name!r} lacks {key!r}{suggestion(key, self.left)}; it has {self._keys()}")
        return self.take(key)

    def text(self, key: str) -> str:
        """Take a text; "" where it is missing. A whole number counts as text."""
        value = self.take(key)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise DataError(f"{self._place(key)} must be text, not {value!r:.80}")

    def number(self, key: str) -> float | None:
        """Take a finite number; None where it is missing."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise DataError(f"{self._place(key)} must be a finite number, not {value!r:.80}")
        return float(value)

    def flag(self, key: str) -> bool | None:
        """Take true or false; None where it is missing."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise DataError(f"{self._place(key)} must be true or false, not {value!r:.80}")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; () where it is missing."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(x, str) for x in value):
            raise DataError(f"{self._place(key)} must be a list of texts, not {value!r:.80}")
        return tuple(value)

    def objects(self, key: str) -> list[Fields]:
        """Take a list of objects that is not empty."""
        value = self.need(key)
        if not isinstance(value, list | tuple) or not value:
            raise DataError(f"{self._place(key)} must be a list of objects that is not empty, not {value!r:.80}")
        return [Fields(x, f"{self.name}.{key}[{i}]") for i, x in enumerate(value)]

    def place(self, key: str, count: int) -> int:
        """Take the number of one of `count` answers, the first is 0."""
        return check_place(self.need(key), count, self._place(key))

    def end(self, remedy: str = "") -> None:
        """Raise DataError for a key that nobody has taken."""
        if self.left:
            key = next(iter(self.left))
            known = suggestion(key, self.asked) or f"; known: {', '.join(self.asked)}"
            raise DataError(f"{self.name!r} has no key {key!r}{known}{remedy}")

    def _place(self, key: str) -> str:
        return f"{key!r} of {self.name!r}"

    def _keys(self) -> str:
        return ", ".join(map(str, self.left)) or "no keys"


def check_place(value: Any, count: int, name: str) -> int:
    """Return the number of an answer. DataError where there is no such answer."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        last = f"a number from 0 to {count - 1}, the place of an answer in 'answers'" if count else "left out"
        raise DataError(f"{name} must be {last}, not {value!r:.80}")
    return value


def check_one_of(value: Any, known: Collection[str], name: str) -> str:
    """Return a name. DataError, with a suggestion, where it is unknown."""
    if value not in known:
        raise DataError(f"{name} must be one of {', '.join(known)}, not {value!r:.80}{suggestion(str(value), known)}")
    return str(value)
