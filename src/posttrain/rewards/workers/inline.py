"""Reward functions that no other process can import: lambdas, closures, functions of a script or a notebook.

They run in this process. On the main thread an alarm ends them at the deadline; on other threads there is no alarm, and
nothing can end a function that hangs without returning to Python. In a file of its own a function can be killed.
"""

from __future__ import annotations

import copy
import os
import random
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType

from posttrain.rewards.workers.call import Call, DeadlineError, Fault, Outcome, evaluate


def run(queue: deque[Call], timeout: float | None) -> Generator[tuple[Call, Outcome], None, None]:
    """Answer the calls of the queue one by one. The caller may add calls meanwhile. None: without a deadline."""
    while queue:
        call = queue.popleft()
        yield call, _evaluate_here(call, timeout)


def _evaluate_here(call: Call, timeout: float | None) -> Outcome:
    assert not isinstance(call.function, str)
    arguments, settings = copy.deepcopy(dict(call.arguments)), copy.deepcopy(dict(call.settings))
    with _process_state_restored():
        try:
            with _alarm(timeout):
                return evaluate(call.reward, call.function, arguments, settings, call.seed)
        except DeadlineError:
            return Fault("deadline", f"reward {call.reward!r} gave no answer within {timeout:g} s and was stopped")


@contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Raise DeadlineError after that time. A function that sets alarms itself (math-verify does) removes ours."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise DeadlineError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _process_state_restored() -> Iterator[None]:
    """Restore the working directory and the global random generators after the block."""
    folder, state = os.open(os.curdir, os.O_RDONLY), random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    numpy_state = numpy.random.get_state() if numpy else None
    torch_state = torch.get_rng_state() if torch else None
    cuda_state = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        os.fchdir(folder)
        os.close(folder)
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
        if torch and cuda_state is not None:
            torch.cuda.set_rng_state_all(cuda_state)
