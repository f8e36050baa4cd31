"""A process that runs reward functions for a scorer: `python -m posttrain.rewards.workers.worker PARENT`.

Requests come in on what was standard input, replies leave on what was standard output. Functions see neither:
what they print goes to standard error, which the scorer reads and cuts. They run on the main thread, because
verifiers set alarms, and with the generators of Python, numpy and torch seeded by the texts: a function that draws
from torch imports it at the top of its file.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from posttrain.errors import ConfigError
from posttrain.rewards.lookup import load
from posttrain.rewards.workers.call import Fault, Outcome, evaluate, to_wire
from posttrain.rewards.workers.framing import pack, read


def main() -> None:
    requests, replies = _private_pipes()
    faulthandler.enable()
    importlib.import_module("numpy.random")  # or a function that imports it first would draw unseeded numbers
    threading.Thread(target=_follow, args=(int(sys.argv[1]),), daemon=True).start()
    folder, ourselves = os.open(os.curdir, os.O_RDONLY), os.getpid()
    while (request := read(requests)) is not None:
        outcome = _answer(request, replies)
        if os.getpid() != ourselves:  # the function forked and came back twice
            os._exit(1)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that the function forgot
        os.fchdir(folder)
        _reply(replies, {"id": request["id"], **to_wire(outcome)})


def _answer(request: dict[str, Any], replies: BinaryIO) -> Outcome:
    """Load, say so (the deadline starts there), and call."""
    try:
        function: Callable[..., Any] = load(request["function"])
    except ConfigError as error:
        return Fault("setup", f"reward {request['reward']!r}: {error}")
    _reply(replies, {"id": request["id"], "loaded": True})
    return evaluate(request["reward"], function, request["arguments"], request["settings"], request["seed"])


def _reply(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(pack(message))
    replies.flush()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the two pipes away from the numbers 0 and 1, where functions and their children would find them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _follow(parent: int) -> None:
    """End with the trainer, even when that was killed while a function ran here."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpid(), signal.SIGKILL)  # our own session, with the function's children


if __name__ == "__main__":
    main()
