"""Ending a sandboxed process and its children without leaving a zombie."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def sweep(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children, and wait for it.

    The children go first: the end of a namespace's first process ends all others in it, and its parent, which is still
    there, reaps it. An orphan would stay a zombie where process 1 does not reap them, as in many containers.
    """
    if process.poll() is not None:
        return
    children = _children(process.pid)
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    if children:
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    process.kill()
    process.wait()


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    return []
