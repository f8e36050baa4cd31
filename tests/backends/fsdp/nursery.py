"""Processes that follow a group and start in milliseconds: a server that has imported everything forks each of them.

python -m tests.backends.fsdp.nursery      one process a line (JSON) comes in; its number goes out
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from posttrain.backends.fsdp import group as module
from posttrain.backends.fsdp.group import Child

ROOT = Path(__file__).parents[3]
_server: list[subprocess.Popen[str]] = []


def child(rank: int, size: int, port: int, device: str, timeout: float, logs: Path) -> Child:
    """Fork one: it stands for posttrain.backends.fsdp.group._child."""
    if not _server:
        command = [sys.executable, "-m", "tests.backends.fsdp.nursery"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        _server.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment))
        atexit.register(end)
    asked, told = _server[0].stdin, _server[0].stdout
    assert asked is not None
    assert told is not None
    log = logs / f"rank-{rank}.log"
    asked.write(json.dumps([str(log), str(Path.cwd()), rank, size, port, device, timeout]) + "\n")
    asked.flush()
    return Child(Forked(int(told.readline())), log)  # type: ignore[arg-type]


def end() -> None:
    """End the server."""
    while _server:
        server = _server.pop()
        assert server.stdin is not None
        server.stdin.close()
        server.wait()


class Forked:
    """A process that the server has forked, with what a Child asks of a Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return -signal.SIGKILL
        return None

    def wait(self, timeout: float = 60) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("forked", timeout)
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def serve() -> None:
    """Fork a process for each line. Nothing is differentiated here: autograd cannot be forked."""
    import torch

    from posttrain.backends.fsdp import sampler  # noqa: F401 -- for the processes to find it
    from posttrain.models.attention import register
    from posttrain.models.loading import tiny

    torch.set_num_threads(1)
    register()
    tiny.tiny_model()  # and with it what transformers imports late
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = _forked(*json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _forked(log: str, folder: str, rank: int, *about: Any) -> int:
    """Fork a process that follows, or with rank 0 one that starts another and is killed."""
    pid = os.fork()
    if pid:
        return pid
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 2)
    os.dup2(output, 1)
    try:
        first(Path(folder)) if rank == 0 else module.join_started(rank, *about).follow()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def first(folder: Path) -> None:
    """Start a group of two, write down the other process, and be killed."""

    def other(rank: int, size: int, port: int, device: str, timeout: float, logs: Path) -> Child:
        number = _forked(str(logs / f"rank-{rank}.log"), str(folder), rank, size, port, device, timeout)
        return Child(Forked(number), logs / f"rank-{rank}.log")  # type: ignore[arg-type]

    module._child = other
    group = module.start(2, timeout=60, logs=folder)
    (folder / "other").write_text(str(group.children[1].process.pid))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    serve()
