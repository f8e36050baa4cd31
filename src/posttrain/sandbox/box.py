"""One process in a sandbox: its pipes, what it said, how it ended."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from posttrain.sandbox.inside.program import READY
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.sweep import sweep
from posttrain.sandbox.tier import ENVIRONMENT, FLAGS, Restrictions, Tier, user

_INSIDE = "posttrain.sandbox.inside"
_START = """
import os, sys
sys.path[:] = filter(None, sys.path)
def read(size):
    made = b""
    while len(made) < size:
        made += os.read(0, size - len(made)) or sys.exit("its input was cut off")
    return made
exec(compile(read(int.from_bytes(read(8), "big")), "<sandbox>", "exec"))
"""
_CHUNK = 1 << 16
START_SECONDS = 60.0  # to start and to give up its rights, on a busy machine; WebAssembly is compiled once


class Box:
    """A function of a module in `inside`, run with plain arguments. Nothing here blocks.

    Raises OSError when the tier cannot start a process. Used as a context: no process, no pipe is left behind.
    """

    def __init__(self, tier: Tier, function: str, limits: Limits, **arguments: Any) -> None:
        self.limits = limits
        self.listener: Callable[[bytes], None] = self._keep  # hears standard output
        self.output, self.errors = bytearray(), b""
        self.ready = self.flooded = self.late = False
        self._deadline = time.monotonic() + START_SECONDS
        self._heard = 0
        self._process = _started(tier, limits)
        self._stdin, self._stdout, self._stderr = (
            _unblocked(pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        with ExitStack() as undo:
            undo.callback(self._bury)
            self._ending = os.pidfd_open(self._process.pid)
            undo.callback(os.close, self._ending)
            source = _source(tier.restrictions(self._process.pid, limits), function, arguments).encode()
            undo.pop_all()
        self._outbox = bytearray(len(source).to_bytes(8, "big") + source)
        self._finite = False

    def send(self, data: bytes) -> None:
        """Write to its standard input, as it reads."""
        self._outbox += data

    def finish_input(self) -> None:
        """Let its standard input end after what was sent."""
        self._finite = True

    @property
    def code(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        code = self._process.returncode
        return 128 - code if code is not None and 128 < code <= 128 + 64 else code  # bubblewrap's way to say a signal

    @property
    def over(self) -> bool:
        """Whether it has ended, or has to be."""
        return self.flooded or self.late or self._process.returncode is not None

    @property
    def remaining(self) -> float:
        """Seconds until its deadline."""
        return max(0.0, self._deadline - time.monotonic())

    def start_clock(self) -> None:
        """From now on the time of the program runs, if it has begun."""
        if self.ready:
            self._deadline = time.monotonic() + self.limits.seconds

    def readable(self) -> list[int]:
        """Descriptors with news for `step`. Its end is one: it may have closed its pipes and go on."""
        return [self._ending, *(pipe.fileno() for pipe in (self._stdout, self._stderr) if not pipe.closed)]

    def writable(self) -> list[int]:
        return [] if self._stdin.closed or not (self._outbox or self._finite) else [self._stdin.fileno()]

    def step(self) -> None:
        """Move what can be moved through its pipes, and look at the clock."""
        ended = self._process.poll() is not None
        self._write()
        for pipe, hear in ((self._stdout, self._hear), (self._stderr, self._note)):
            while not pipe.closed and not self.flooded and (text := _read(pipe)):
                hear(text)
                if not ended:
                    break  # who never stops talking must not keep us from the clock
        self.late = not ended and not self.remaining

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._ending)
        self._bury()

    def _bury(self) -> None:
        sweep(self._process)
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(BrokenPipeError):
                pipe.close()

    def _write(self) -> None:
        if self._stdin.closed:
            return
        try:
            if self._outbox:
                del self._outbox[: os.write(self._stdin.fileno(), self._outbox[:_CHUNK])]
            if self._finite and not self._outbox:
                self._stdin.close()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._stdin.close()

    def _hear(self, text: bytes) -> None:
        if not self.ready:
            if not text.startswith(READY):
                self._note(text)
                return
            self.ready, text = True, text[len(READY) :]
            self.start_clock()
        self._heard += len(text)
        self.flooded = self._heard > self.limits.output
        self.listener(text)

    def _keep(self, text: bytes) -> None:
        self.output += text

    def _note(self, text: bytes) -> None:
        self.errors += text
        self.flooded = len(self.errors) > self.limits.output


def _started(tier: Tier, limits: Limits) -> subprocess.Popen[bytes]:
    owner = user() if tier.own_user else None
    groups: list[int] | None = None if owner is None else []
    return subprocess.Popen(  # noqa: S603 -- the sandbox itself
        [*tier.command(limits), *FLAGS, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        cwd="/",
        env=ENVIRONMENT,
        user=owner,
        group=owner,
        extra_groups=groups,
    )


def _source(restrictions: Restrictions | None, function: str, arguments: dict[str, Any]) -> str:
    """A program that gives up its rights, takes our modules in and calls the function."""
    made = ["import sys"]
    if restrictions is not None:
        made += [_module("restrict"), f"module.restrict(**{asdict(restrictions)!r}, parent={os.getpid()})"]
    module, _, name = function.partition(".")
    needed = {"program": ["program"], "candidate": ["program", "wire", "candidate"]}
    made += [_module(each) for each in needed.get(module, ["program", "wire", module])]
    return "\n".join([*made, f"module.{name}(**{arguments!r})"])


@cache
def _module(name: str) -> str:
    """Code that makes a module of `inside` known by its full name."""
    text, full = (
        Path(__file__).with_name("inside").joinpath(f"{name}.py").read_text(encoding="utf-8"),
        f"{_INSIDE}.{name}",
    )
    return (
        f"module = sys.modules[{full!r}] = type(sys)({full!r})\nexec(compile({text!r}, {full!r}, 'exec'), vars(module))"
    )


def _read(pipe: IO[bytes]) -> bytes:
    """What there is; nothing when there is nothing yet. The pipe is closed at its end."""
    try:
        text = os.read(pipe.fileno(), _CHUNK)
    except BlockingIOError:
        return b""
    if not text:
        pipe.close()
    return text


def _unblocked(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    return pipe
