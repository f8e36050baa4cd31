"""Message framing between the scorer and its workers: eight bytes of length, then JSON. Nothing is unpickled."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

_LENGTH = 8
_LIMIT = 1 << 28  # bytes of one message that a worker may send


def pack(message: dict[str, Any]) -> bytes:
    """Encode a message. Numpy arrays become lists. Raises TypeError or ValueError for values that JSON lacks."""
    body = json.dumps(message, default=_plain).encode()
    return len(body).to_bytes(_LENGTH, "big") + body


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
    message: dict[str, Any] = json.loads(stream.read(int.from_bytes(head, "big")))
    return message


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
