"""A process that runs reward functions for a scorer: `python -m posttrain.rewards.workers.worker PARENT`.

Requests arrive on the original standard input, replies leave on the original standard output. Functions see neither:
what they print goes to standard error, of which the scorer keeps the end. They run on the main thread, because
verifiers set alarms, and the generators of Python, numpy and torch are seeded from the texts: a function that draws
from torch must import it at the top of its file.
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
    """Answer calls until the scorer closes the pipe."""
    requests, replies = _private_pipes()
    faulthandler.enable()
    importlib.import_module("numpy.random")  # or a function that imports it first would draw unseeded numbers
    threading.Thread(target=_die_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    folder, pid = os.open(os.curdir, os.O_RDONLY), os.getpid()
    while (request := read(requests)) is not None:
        outcome = _answer(request, replies)
        if os.getpid() != pid:  # the function forked, and this is the child
            os._exit(1)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that the function left behind
        os.fchdir(folder)
        _reply(replies, {"id": request["id"], **to_wire(outcome)})


def _answer(request: dict[str, Any], replies: BinaryIO) -> Outcome:
    """Load the function, report that (the deadline counts from there), and call it."""
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
    """Move the two pipes away from descriptors 0 and 1, where functions and their children would find them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return requests, replies


def _die_with_parent(parent: int) -> None:
    """End with the trainer, even when it is killed while a function runs here."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpid(), signal.SIGKILL)  # our process group, so the function's children too


if __name__ == "__main__":
    main()
