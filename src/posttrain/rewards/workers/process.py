"""The scorer's side of one worker process: it is started, called, watched, and killed together with its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from posttrain.rewards.workers.call import Call, Fault, Kind, Outcome, from_wire
from posttrain.rewards.workers.framing import pack, unpack

LOAD_SECONDS = 60.0  # for starting the process and importing the function's module
_CHUNK = 1 << 16
_PRINTED = 2000  # last bytes of its output that are kept


class WorkerProcess:
    """Answers one call at a time. When the process itself fails, it is killed."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 -- our own module in the same Python
            [sys.executable, "-u", "-P", "-m", "posttrain.rewards.workers.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=_environment(),
        )
        self._requests = _unblocked(self._popen.stdin)
        self._replies = _unblocked(self._popen.stdout)
        self._output = _unblocked(self._popen.stderr)
        self._call: Call | None = None
        self._number = 0
        self._deadline = 0.0
        self._timeout = 0.0
        self._loaded = False
        self._outbox = b""
        self._inbox = bytearray()
        self._printed = b""
        self._silent = False  # its standard error is closed

    def usable(self) -> bool:
        """Whether it can take a call: it is running and has sent nothing unasked since the last one."""
        if self._popen.returncode is not None or self._inbox:
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
        request = {
            "id": self._number + 1,
            "reward": call.reward,
            "function": call.function,
            "settings": dict(call.settings),
            "arguments": dict(call.arguments),
            "seed": call.seed,
        }
        self._outbox = pack(request)
        self._number += 1
        self._call, self._printed, self._loaded = call, b"", False
        self._timeout, self._deadline = timeout, time.monotonic() + LOAD_SECONDS

    def poll(self) -> Outcome | None:
        """Return the outcome of the call, or None while it is unknown. Never blocks."""
        assert self._call is not None
        ended = self._exchange()
        try:
            while (message := unpack(self._inbox)) is not None:
                if message.get("id") != self._number:
                    raise ValueError("a reply to another request")
                if not message.get("loaded"):
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
        if self._popen.returncode is not None:
            return
        for pid in _descendants(self._popen.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
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
                self._printed = (self._printed + text)[-_PRINTED:]
                self._silent = not text
        with suppress(BlockingIOError):
            reply = os.read(self._replies.fileno(), _CHUNK)
            self._inbox += reply
            return not reply
        return False

    def _fail(self, kind: Kind, what: str) -> Fault:
        assert self._call is not None
        for _ in range(16):  # its last words
            with suppress(BlockingIOError):
                self._printed = (self._printed + os.read(self._output.fileno(), _CHUNK))[-_PRINTED:]
        self.kill()
        printed = self._printed.decode(errors="replace").strip()
        what = what or f"ended its process ({_ending(self._popen.returncode)})"
        return Fault(kind, f"reward {self._call.reward!r} {what}", f"It had printed:\n{printed}" if printed else "")


def _unblocked(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _environment() -> dict[str, str]:
    """Return our environment with our import path, one thread, and the same hash seed in every worker."""
    path = os.pathsep.join(dict.fromkeys(entry or os.getcwd() for entry in sys.path))
    return {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}


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
