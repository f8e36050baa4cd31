"""One process in a sandbox: its pipes, its output, its limits and how it ended."""

from __future__ import annotations

import os
import resource
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
    data = b""
    while len(data) < size:
        data += os.read(0, size - len(data)) or sys.exit("its input was cut off")
    return data
exec(compile(read(int.from_bytes(read(8), "big")), "<sandbox>", "exec"))
"""
_CHUNK = 1 << 16
START_SECONDS = 60.0  # to start and to drop its rights, on a busy machine; WebAssembly is compiled once


class Box:
    """A process that runs a function of a module in `inside`, with plain data as arguments. No method blocks.

    Raises OSError when the tier cannot start a process. Used as a context manager, it leaves no process and no pipe.
    `ready`: the program has begun. `flooded`: it wrote more than its limit. `timed_out`: its time is up. `cpu`: seconds
    of CPU time that it took from its start to its end.
    """

    def __init__(self, tier: Tier, function: str, limits: Limits, **arguments: Any) -> None:
        self.limits = limits
        self.listener: Callable[[bytes], None] = self._keep  # called with every piece of standard output
        self.output = bytearray()
        self.errors = b""
        self.ready = False
        self.flooded = False
        self.timed_out = False
        self.cpu = 0.0
        self._deadline = time.monotonic() + START_SECONDS
        self._output_size = 0
        self._process = _start(tier, limits)
        self._stdin = _unblocked(self._process.stdin)
        self._stdout = _unblocked(self._process.stdout)
        self._stderr = _unblocked(self._process.stderr)
        with ExitStack() as undo:
            undo.callback(self._clean_up)
            self._pidfd = os.pidfd_open(self._process.pid)
            undo.callback(os.close, self._pidfd)
            source = _source(tier.restrictions(self._process.pid, limits), function, arguments).encode()
            undo.pop_all()
        self._outbox = bytearray(len(source).to_bytes(8, "big") + source)
        self._input_ends = False

    def send(self, data: bytes) -> None:
        """Queue data for its standard input; `step` writes it as the process reads."""
        self._outbox += data

    def finish_input(self) -> None:
        """Close its standard input once everything queued is written."""
        self._input_ends = True

    @property
    def code(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        code = self._process.returncode
        return 128 - code if code is not None and 128 < code <= 128 + 64 else code  # bubblewrap reports a signal so

    @property
    def done(self) -> bool:
        """Whether it has ended, or must be ended."""
        return self.flooded or self.timed_out or self._process.returncode is not None

    @property
    def remaining(self) -> float:
        """Seconds until its deadline."""
        return max(0.0, self._deadline - time.monotonic())

    def start_clock(self, seconds: float | None = None) -> None:
        """Start the program's time now, if it has begun: those of its limits unless given."""
        if self.ready:
            self._deadline = time.monotonic() + (self.limits.seconds if seconds is None else seconds)

    def readable(self) -> list[int]:
        """Descriptors to wait on for reading. One reports its end: it may close its pipes and still be running."""
        return [self._pidfd, *(pipe.fileno() for pipe in (self._stdout, self._stderr) if not pipe.closed)]

    def writable(self) -> list[int]:
        """Descriptors to wait on for writing."""
        return [] if self._stdin.closed or not (self._outbox or self._input_ends) else [self._stdin.fileno()]

    def step(self) -> None:
        """Read and write what its pipes allow, and check the deadline."""
        ended = self._ended()
        self._write()
        for pipe, handle in ((self._stdout, self._on_output), (self._stderr, self._on_errors)):
            while not pipe.closed and not self.flooded and (text := _read(pipe)):
                handle(text)
                if not ended:
                    break  # a process that never stops writing must not keep us from checking the deadline
        self.timed_out = not ended and not self.remaining

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._pidfd)
        self._clean_up()

    def _clean_up(self) -> None:
        sweep(self._process)
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(BrokenPipeError):
                pipe.close()

    def _ended(self) -> bool:
        """Whether it has ended; if so just now, the kernel adds its CPU time to that of our children."""
        before = _cpu_of_children()
        running = self._process.returncode is None
        if self._process.poll() is None:
            return False
        if running:
            self.cpu = _cpu_of_children() - before
        return True

    def _write(self) -> None:
        if self._stdin.closed:
            return
        try:
            if self._outbox:
                del self._outbox[: os.write(self._stdin.fileno(), self._outbox[:_CHUNK])]
            if self._input_ends and not self._outbox:
                self._stdin.close()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._stdin.close()

    def _on_output(self, text: bytes) -> None:
        if not self.ready:
            if not text.startswith(READY):
                self._on_errors(text)
                return
            self.ready, text = True, text[len(READY) :]
            self.start_clock()
        self._output_size += len(text)
        self.flooded = self._output_size > self.limits.output
        self.listener(text)

    def _keep(self, text: bytes) -> None:
        self.output += text

    def _on_errors(self, text: bytes) -> None:
        self.errors += text
        self.flooded = len(self.errors) > self.limits.output


def _start(tier: Tier, limits: Limits) -> subprocess.Popen[bytes]:
    owner = user() if tier.own_user else None
    groups: list[int] | None = None if owner is None else []
    process = subprocess.Popen(  # noqa: S603 -- the sandbox itself
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
    if limits.tools and owner is not None and process.stdout is not None:
        os.fchown(process.stdout.fileno(), owner, owner)  # so that a tool can open /dev/stdout by name
    return process


def _source(restrictions: Restrictions | None, function: str, arguments: dict[str, Any]) -> str:
    """Return a program that drops its rights, defines our modules and calls the function."""
    lines = ["import sys"]
    if restrictions is not None:
        lines += [_module("restrict"), f"module.restrict(**{asdict(restrictions)!r}, parent={os.getpid()})"]
    module, _, name = function.partition(".")
    needed = {"program": ["program"], "tool": ["program", "tool"], "candidate": ["program", "wire", "candidate"]}
    lines += [_module(each) for each in needed.get(module, ["program", "wire", module])]
    return "\n".join([*lines, f"module.{name}(**{arguments!r})"])


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@cache
def _module(name: str) -> str:
    """Return code that defines a module of `inside` under its full name."""
    text = Path(__file__).with_name("inside").joinpath(f"{name}.py").read_text(encoding="utf-8")
    full = f"{_INSIDE}.{name}"
    return (
        f"module = sys.modules[{full!r}] = type(sys)({full!r})\nexec(compile({text!r}, {full!r}, 'exec'), vars(module))"
    )


def _read(pipe: IO[bytes]) -> bytes:
    """Read what is available, which may be nothing. Closes the pipe at its end."""
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
