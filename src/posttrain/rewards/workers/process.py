"""The scorer's side of one worker process: it is called, watched, and killed together with its children."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from posttrain.rewards.workers.call import Call, Fault, Kind, to_request
from posttrain.rewards.workers.children import Child, start_python
from posttrain.rewards.workers.framing import pack, unpack
from posttrain.rewards.workers.outcome import Outcome, from_wire
from posttrain.rewards.workers.printed import Output

LOAD_SECONDS = 60.0  # for starting the process and importing the function's module
_CHUNK = 1 << 16


class WorkerProcess:
    """Answers one call at a time. When the process itself fails, it is killed."""

    def __init__(self, child: Child | None = None) -> None:
        self._child = child or start_python()
        self._requests = _unblocked(self._child.stdin)
        self._replies = _unblocked(self._child.stdout)
        self._output = _unblocked(self._child.stderr)
        self._call: Call | None = None
        self._number = 0
        self._deadline = 0.0
        self._timeout = 0.0
        self._loaded = False
        self._outbox = b""
        self._inbox = bytearray()
        self._silent = False  # its standard error is closed
        self.printed = Output()  # during the present call

    def usable(self) -> bool:
        """Whether it can take a call: it is running and has sent nothing unasked since the last one."""
        if self._child.returncode is not None or self._inbox:
            return False
        with suppress(BlockingIOError):
            os.read(self._replies.fileno(), 1)  # the end of the pipe, or something unasked
            return False
        return True

    @property
    def remaining(self) -> float:
        """Seconds until the deadline of the present call."""
        return max(0.0, self._deadline - time.monotonic())

    def readable(self) -> list[int]:
        """File descriptors to wait on for reading before the next `poll`."""
        return [self._replies.fileno()] + ([] if self._silent else [self._output.fileno()])

    def writable(self) -> list[int]:
        """File descriptors to wait on for writing before the next `poll`."""
        return [self._requests.fileno()] if self._outbox else []

    def ask(self, call: Call, timeout: float) -> None:
        """Send a call. The deadline counts from when the function is loaded.

        Raises TypeError, ValueError or RecursionError when the arguments cannot be encoded as JSON.
        """
        limit = call.limit(timeout)
        self._outbox = pack(to_request(call, self._number + 1, timeout))
        self._number += 1
        self._call, self.printed, self._loaded = call, Output(), False
        self._timeout, self._deadline = limit, time.monotonic() + LOAD_SECONDS

    def poll(self) -> Outcome | None:
        """Return the outcome of the call, or None while it is unknown. Never blocks."""
        assert self._call is not None
        ended = self._exchange()
        try:
            while (message := unpack(self._inbox)) is not None:
                if message.get("id") != self._number:
                    raise ValueError("a reply to another request")
                if not message.get("loaded"):
                    self._read_output()
                    return from_wire(message, len(self._call.items))
                self._loaded, self._deadline = True, time.monotonic() + self._timeout
        except (ValueError, RecursionError) as error:
            return self._fail("died", f"broke its pipe to the scorer: {error}")
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
        assert self._call is not None
        self._read_output()
        self.kill()
        printed = self.printed.end
        what = what or f"ended its process ({_ending(self._child.returncode)})"
        return Fault(kind, f"reward {self._call.reward!r} {what}", f"It had printed:\n{printed}" if printed else "")


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
