"""The two ways to start a worker process: a fresh Python, or a fork of this process.

A fresh Python imports the functions by name. A fork has the functions of this process, as they and what they refer to
are at that moment: those of a script, a notebook and lambdas, which nothing can import. It uses one thread of torch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Protocol

from posttrain.rewards.workers.worker import serve

Functions = Mapping[str, Callable[..., Any]]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


class Child(Protocol):
    """What a worker needs of a process; subprocess.Popen has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    @property
    def returncode(self) -> Any:
        """Exit code, minus the number of a signal; None before `wait`."""

    def wait(self) -> int:
        """Wait for the end of the process."""


def start_python(module: str = "posttrain.rewards.workers.worker", *arguments: str) -> Child:
    """Start a fresh Python that runs one of our modules, with the number of this process as its first argument."""
    return subprocess.Popen(  # noqa: S603 -- our own module in the same Python
        [sys.executable, "-u", "-P", "-m", module, str(os.getpid()), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        env=_environment(),
    )


def can_fork() -> bool:
    """Whether a fork of this process is safe enough: on macOS system libraries break in it, Windows has none."""
    return sys.platform.startswith("linux")


class Fork:
    """A fork of this process that answers calls of its functions, by the names of their rewards."""

    def __init__(self, functions: Functions) -> None:
        ours, theirs = _pipes()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()  # or the fork would write it again
        parent = os.getpid()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks beside threads
            self.pid = os.fork()
        if self.pid == 0:
            _answer_and_exit(functions, parent, ours, theirs)
        for descriptor in theirs:
            os.close(descriptor)
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = os.fdopen(ours[0], "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(ours[1], "rb", buffering=0)
        self.stderr: IO[bytes] | None = os.fdopen(ours[2], "rb", buffering=0)

    def wait(self) -> int:
        """Wait for the end of the process."""
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Our ends and theirs, of requests, replies and output."""
    requests, replies, output = os.pipe(), os.pipe(), os.pipe()
    return (requests[1], replies[0], output[0]), (requests[0], replies[1], output[1])


def _answer_and_exit(functions: Functions, parent: int, ours: tuple[int, ...], theirs: tuple[int, int, int]) -> None:
    """Be the worker. Never returns: nothing of the parent may be finished twice."""
    try:
        os.setsid()
        for descriptor in ours:
            os.close(descriptor)
        for number in _SIGNALS:
            with suppress(ValueError):
                signal.signal(number, signal.SIG_DFL)
        _move_streams(theirs[2])
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # the threads of the parent are not here
        requests, replies = os.fdopen(theirs[0], "rb"), os.fdopen(theirs[1], "wb")
        serve(requests, replies, parent, lambda call: functions[call.reward])
    finally:
        os._exit(0)


def _move_streams(output: int) -> None:
    """Standard input is empty; what is printed goes to the parent, also where a notebook has replaced sys.stdout."""
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdin = os.fdopen(0, closefd=False, encoding="utf-8")
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, encoding="utf-8", errors="backslashreplace")


def _environment() -> dict[str, str]:
    """Return our environment with our import path, one thread, and the same hash seed in every worker."""
    path = os.pathsep.join(dict.fromkeys(entry or os.getcwd() for entry in sys.path))
    return {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
