"""Messages between the trainer and the process of an engine: eight bytes of length, then JSON. Nothing is unpickled."""

from __future__ import annotations

import json
import os
import selectors
from collections.abc import Mapping
from typing import Any

_LENGTH = 8
_LIMIT = 1 << 30  # bytes of one message
_CHUNK = 1 << 20

Message = Mapping[str, Any]


def pack(message: Message) -> bytes:
    """Encode a message."""
    data = json.dumps(message, separators=(",", ":")).encode()
    return len(data).to_bytes(_LENGTH, "big") + data


class Inbox:
    """The messages that arrive at one end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.buffer = bytearray()

    def read(self, timeout: float | None) -> Message | None:
        """Return the next message; None if none is complete within `timeout` seconds (None waits for ever).

        Raises EOFError when the other side has closed its end, ValueError for what is no message.
        """
        while (message := self._take()) is None:
            if not self.wait(timeout):
                return None
            self.fill()
        return message

    def wait(self, timeout: float | None, *, writable: int | None = None) -> bool:
        """Wait until something has arrived, or the descriptor `writable` takes more. False: neither in time."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.descriptor, selectors.EVENT_READ)
            if writable is not None:
                selector.register(writable, selectors.EVENT_WRITE)
            return bool(selector.select(timeout))

    def fill(self) -> None:
        """Take what has arrived. Raises EOFError at the end."""
        data = os.read(self.descriptor, _CHUNK)
        if not data:
            raise EOFError("the other side has closed its end")
        self.buffer += data

    def _take(self) -> Message | None:
        if len(self.buffer) < _LENGTH:
            return None
        size = int.from_bytes(self.buffer[:_LENGTH], "big")
        if size > _LIMIT:
            raise ValueError(f"a message of {size} bytes")
        if len(self.buffer) < _LENGTH + size:
            return None
        message = json.loads(bytes(self.buffer[_LENGTH : _LENGTH + size]))
        del self.buffer[: _LENGTH + size]
        if not isinstance(message, dict):
            raise ValueError(f"a message that is {type(message).__name__}")
        return message
