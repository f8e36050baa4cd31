"""Message framing between the scorer and its workers: eight bytes of length, then JSON. Nothing is unpickled.

Bytes, dates, times, decimals, fractions and sets of a column travel as {TAG: [type, text]} and arrive as what they
were; arrays arrive as lists.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any, BinaryIO
from uuid import UUID

_LENGTH = 8
_LIMIT = 1 << 28  # bytes of one message that a worker may send
_TAG = "\0posttrain"
_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bytes, lambda value: base64.b64encode(value).decode()),
    (bytearray, lambda value: base64.b64encode(value).decode()),
    (datetime, datetime.isoformat),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, lambda value: [value.days, value.seconds, value.microseconds]),
    (Decimal, str),
    (Fraction, str),
    (UUID, str),
    (set, lambda value: sorted(value, key=repr)),
    (frozenset, lambda value: sorted(value, key=repr)),
)
_READERS: dict[str, Callable[[Any], Any]] = {
    "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda numbers: timedelta(*numbers),
    "Decimal": Decimal,
    "Fraction": Fraction,
    "UUID": UUID,
    "set": lambda values: {tuple(v) if isinstance(v, list) else v for v in values},
    "frozenset": lambda values: frozenset(tuple(v) if isinstance(v, list) else v for v in values),
}


def pack(message: dict[str, Any]) -> bytes:
    """Encode a message. Raises TypeError or ValueError for values that neither JSON nor a tag can hold."""
    tags: list[str] = []
    body = json.dumps(message, default=lambda value: _plain(value, tags))
    if body.count(json.dumps(_TAG)) != len(tags):
        raise ValueError(f"the text {_TAG!r} has a meaning of its own and cannot be sent")
    data = body.encode()
    return len(data).to_bytes(_LENGTH, "big") + data


def unpack(buffer: bytearray) -> dict[str, Any] | None:
    """Take the first complete message out of the buffer; None if it is incomplete. Raises ValueError for garbage."""
    if len(buffer) < _LENGTH:
        return None
    size = int.from_bytes(buffer[:_LENGTH], "big")
    if size > _LIMIT:
        raise ValueError(f"a message of {size} bytes")
    if len(buffer) < _LENGTH + size:
        return None
    body = bytes(buffer[_LENGTH : _LENGTH + size])
    del buffer[: _LENGTH + size]
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError(f"a message that is {type(message).__name__}")
    return message


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """Read the next message, blocking; None at the end of the stream."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    message: dict[str, Any] = json.loads(stream.read(int.from_bytes(head, "big")), object_hook=_restored)
    return message


def _plain(value: Any, tags: list[str]) -> Any:
    """A value that JSON can hold; the type of a tagged one is added to `tags`."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    for kind, as_json in _WRITERS:  # a datetime is a date too, so the order matters
        if isinstance(value, kind):
            tags.append(kind.__name__)
            return {_TAG: [kind.__name__, as_json(value)]}
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _restored(found: dict[str, Any]) -> Any:
    """A tagged value as what it was. Only _READERS are called, each with text or numbers."""
    if found.keys() != {_TAG}:
        return found
    name, text = found[_TAG]
    return _READERS[name](text)
