"""A process that runs reward functions for a scorer: `python -m posttrain.rewards.workers.worker PARENT`.

Requests arrive on the original standard input, replies leave on the original standard output. Functions see neither:
what they print goes to standard error, which the scorer reads. They run on the main thread, because
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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO

from posttrain.errors import ConfigError
from posttrain.rewards.construct import Made, make
from posttrain.rewards.lookup import load
from posttrain.rewards.workers.call import Call, Fault, from_request
from posttrain.rewards.workers.evaluate import evaluate
from posttrain.rewards.workers.framing import pack, read
from posttrain.rewards.workers.inside import die_with_parent, private_pipes
from posttrain.rewards.workers.outcome import Outcome, to_wire

Find = Callable[[Call], Callable[..., Any]]
"""Leads from a call to what its reward names: a function, a class or a factory."""


def main() -> None:
    """Answer calls until the scorer closes the pipe."""
    requests, replies = private_pipes()
    importlib.import_module("numpy.random")  # or a function that imports it first would draw unseeded numbers
    serve(requests, replies, int(sys.argv[1]), lambda call: load(str(call.function)))


def serve(requests: BinaryIO, replies: BinaryIO, parent: int, find: Find) -> None:
    """Answer calls until the pipe closes or the scorer's process has ended."""
    faulthandler.enable(file=2)
    threading.Thread(target=die_with_parent, args=(parent,), daemon=True).start()
    folder, pid = os.open(os.curdir, os.O_RDONLY), os.getpid()
    made: dict[str, Made] = {}
    while (request := read(requests)) is not None:
        outcome = _answer(from_request(request), request["id"], replies, find, made)
        if os.getpid() != pid:  # the function forked, and this is the child
            os._exit(1)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm that the function left behind
        os.fchdir(folder)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # which the function has closed
                stream.flush()
        _reply(replies, {"id": request["id"], **to_wire(outcome)})


def _answer(call: Call, number: int, replies: BinaryIO, find: Find, made: dict[str, Made]) -> Outcome:
    """Load or construct the function, report that (the deadline counts from there), and call it."""
    key = repr((call.reward, call.function, sorted(call.settings.items())))
    try:
        if key not in made:
            made[key] = make(call.reward, find(call), call.settings)
    except ConfigError as error:
        return Fault("setup", f"reward {call.reward!r}: {error}")
    _reply(replies, {"id": number, "loaded": True})
    own = {name: call.settings[name] for name in made[key].call}
    return evaluate(replace(call, settings=own), made[key].function)


def _reply(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(pack(message))
    replies.flush()


if __name__ == "__main__":
    main()
