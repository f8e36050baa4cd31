"""What reward functions print: the beginning of it for the log of the run, the end of it for messages of faults."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO, TextIOBase
from typing import IO, Any

_FIRST = 20_000  # bytes of one call that are kept for the log
_LAST = 2000  # bytes of one call that are kept for the message of a fault


@dataclass(frozen=True)
class Printed:
    """What one call of a reward printed, or one step of an environment (`noun`).

    `shown`: it went to the terminal by itself, from this process.
    """

    reward: str  # its name
    text: str
    shown: bool = False
    noun: str = "reward"

    @property
    def who(self) -> str:
        """Who printed it."""
        return f"{self.noun} {self.reward}"


class Output:
    """Collects the bytes that a process prints during a call."""

    def __init__(self) -> None:
        self._first = b""
        self._last = b""
        self._size = 0

    def add(self, data: bytes) -> None:
        self._first += data[: _FIRST - len(self._first)]
        self._last = (self._last + data)[-_LAST:]
        self._size += len(data)

    @property
    def text(self) -> str:
        """From the beginning, cut with a remark if it is too long."""
        left_out = self._size - len(self._first)
        more = f"\n... {left_out} more bytes" if left_out else ""
        return self._first.decode(errors="replace").rstrip("\n") + more

    @property
    def end(self) -> str:
        """The last words."""
        return self._last.decode(errors="replace").strip()


class _Tee(TextIOBase):
    """Writes to a stream and keeps a copy."""

    def __init__(self, stream: IO[str] | None, copy: StringIO) -> None:
        self._stream = stream
        self._copy = copy

    def write(self, text: str) -> int:
        if self._copy.tell() < _FIRST:
            self._copy.write(text)
        if self._stream is not None:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def copied() -> Iterator[StringIO]:
    """Keep a copy of what Python code of this process prints; it is seen, and debuggers work, as ever."""
    copy = StringIO()
    with redirect_stdout(_Tee(sys.stdout, copy)), redirect_stderr(_Tee(sys.stderr, copy)):
        yield copy
