"""Our side of one process that answers messages: it is asked, watched, and killed together with its children."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from posttrain.rewards.workers.call import Fault, Kind
from posttrain.rewards.workers.children import Child
from posttrain.rewards.workers.framing import pack, unpack
from posttrain.rewards.workers.printed import Output

LOAD_SECONDS = 60.0  # for starting the process and importing the module that answers
_CHUNK = 1 << 16

T = TypeVar("T")


class HasFileno(Protocol):
    """Something that can be waited on."""

    def fileno(self) -> int:
        """Its file descriptor."""


class KillableProcess:
    """Answers one message at a time. When the process itself fails, it is killed."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._requests = _unblocked(self._child.stdin)
        self._replies = _unblocked(self._child.stdout)
        self._output = _unblocked(self._child.stderr)
        self._who = ""
        self._number = 0
        self._deadline = 0.0
        self._timeout = 0.0
        self._loaded = False
        self._outbox = b""
        self._inbox = bytearray()
        self._silent = False  # its standard error is closed
        self.printed = Output()  # since the present message

    def usable(self) -> bool:
        """Whether it can take a message: it is running and has sent nothing unasked since the last one."""
        if self._child.returncode is not None or self._inbox:
            return False
        with suppress(BlockingIOError):
            os.read(self._replies.fileno(), 1)  # the end of the pipe, or something unasked
            return False
        return True

    @property
    def remaining(self) -> float:
        """Seconds until the deadline of the present message."""
        return max(0.0, self._deadline - time.monotonic())

    def readable(self) -> list[int]:
        """File descriptors to wait on for reading before the next `receive`."""
        return [self._replies.fileno()] + ([] if self._silent else [self._output.fileno()])

    def writable(self) -> list[int]:
        """File descriptors to wait on for writing before the next `receive`."""
        return [self._requests.fileno()] if self._outbox else []

    def send(self, who: str, message: Mapping[str, Any], limit: float) -> None:
        """Send a message to `who`, as errors name it. The time limit counts from when its code is loaded.

        Raises TypeError, ValueError or RecursionError when the message cannot be encoded as JSON.
        """
        self._outbox = pack({"id": self._number + 1, **message})
        self._number += 1
        self._who, self.printed, self._loaded = who, Output(), False
        self._timeout, self._deadline = limit, time.monotonic() + LOAD_SECONDS

    def receive(self, read: Callable[[Mapping[str, Any]], T]) -> T | Fault | None:
        """Return what `read` makes of the reply, or None while there is none. Never blocks.

        `read` raises ValueError for a reply that makes no sense: the process may send anything.
        """
        ended = self._exchange()
        try:
            while (message := unpack(self._inbox)) is not None:
                if message.get("id") != self._number:
                    raise ValueError("a reply to another request")
                if not message.get("loaded"):
                    self._read_output()
                    return read(message)
                self._loaded, self._deadline = True, time.monotonic() + self._timeout
        except (ValueError, RecursionError) as error:
            return self._fail("died", f"broke its pipe to the trainer: {error}")
        if ended:
            return self._fail("died", "")
        if not self.remaining:
            after = f"within {self._timeout:g} s" if self._loaded else f"after {LOAD_SECONDS:g} s of loading"
            return self._fail("deadline", f"gave no answer {after} and was stopped")
        return None

    def kill(self) -> None:
        """End the process and whatever it started, and close the pipes."""
        if self._child.returncode is not None:
            return
        for pid in _descendants(self._child.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._requests, self._replies, self._output):
            with suppress(BrokenPipeError):
                pipe.close()

    def _exchange(self) -> bool:
        """Read and write what the pipes allow; True when the process has closed its end.

        One chunk at a time: a process that never stops writing must not keep us from checking the deadline.
        """
        if self._outbox:
            with suppress(BlockingIOError, BrokenPipeError):
                self._outbox = self._outbox[os.write(self._requests.fileno(), self._outbox[: 1 << 20]) :]
        if not self._silent:
            with suppress(BlockingIOError):
                text = os.read(self._output.fileno(), _CHUNK)
                self.printed.add(text)
                self._silent = not text
        with suppress(BlockingIOError):
            reply = os.read(self._replies.fileno(), _CHUNK)
            self._inbox += reply
            return not reply
        return False

    def _read_output(self) -> None:
        """Read what the pipe holds of its output, if it is not endless."""
        with suppress(BlockingIOError):
            for _ in range(16):
                self.printed.add(os.read(self._output.fileno(), _CHUNK))

    def _fail(self, kind: Kind, what: str) -> Fault:
        self._read_output()
        self.kill()
        printed = self.printed.end
        what = what or f"ended its process ({_ending(self._child.returncode)})"
        return Fault(kind, f"{self._who} {what}", f"It had printed:\n{printed}" if printed else "")


def wait(processes: Iterable[KillableProcess], *others: HasFileno, block: bool = True) -> None:
    """Wait until a pipe is ready, the nearest deadline has passed, or one of the `others` can be read.

    Without `block`, look and return at once.
    """
    watched = list(processes)
    with selectors.PollSelector() as selector:
        for other in others:
            selector.register(other, selectors.EVENT_READ)
        for process in watched:
            for pipe in process.readable():
                selector.register(pipe, selectors.EVENT_READ)
            for pipe in process.writable():
                selector.register(pipe, selectors.EVENT_WRITE)
        selector.select(min((process.remaining for process in watched), default=None) if block else 0)


def _unblocked(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return {-9: "SIGKILL, perhaps out of memory"}.get(code, signal.Signals(-code).name)


def _descendants(pid: int) -> list[int]:
    """List children and their children, even in other sessions. Empty where /proc does not list children."""
    descendants: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listing.read_text(encoding="utf-8").split()):
                descendants += [child, *_descendants(child)]
    return descendants
