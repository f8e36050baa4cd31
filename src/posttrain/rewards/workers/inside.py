"""Inside a worker process: its pipes, and its end together with the trainer."""

from __future__ import annotations

import os
import signal
import time
from typing import BinaryIO


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the two pipes away from descriptors 0 and 1, where functions and their children would find them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return requests, replies


def die_with_parent(parent: int) -> None:
    """End with the trainer, even when it is killed while a function runs here."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpid(), signal.SIGKILL)  # our process group, so the function's children too
