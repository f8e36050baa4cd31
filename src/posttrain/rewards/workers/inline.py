"""Reward functions that keep something in this process: closures, methods, objects, models.

They run here, one call at a time, so that what they change and remember is seen by everybody. At the deadline an alarm
ends them on the main thread, an exception that is raised into the thread on others. Nothing can end a function that
hangs without returning to Python, except in a worker process.
"""

from __future__ import annotations

import copy
import ctypes
import os
import random
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from posttrain.rewards.workers.call import Call, DeadlineError, Fault
from posttrain.rewards.workers.evaluate import evaluate
from posttrain.rewards.workers.outcome import Outcome
from posttrain.rewards.workers.printed import Printed, copied


def run(
    queue: deque[Call], timeout: float | None, printed: deque[Printed] | None = None
) -> Generator[tuple[Call, Outcome], None, None]:
    """Answer the calls of the queue one by one. The caller may add calls meanwhile. None: without a deadline."""
    while queue:
        call = queue.popleft()
        with copied() as copy_of_output:
            outcome = _evaluate_here(call, None if timeout is None else call.limit(timeout))
        if printed is not None and (text := copy_of_output.getvalue().rstrip("\n")):
            printed.append(Printed(call.reward, text, shown=True))
        yield call, outcome


def _evaluate_here(call: Call, timeout: float | None) -> Outcome:
    assert not isinstance(call.function, str)
    arguments = copy.deepcopy(dict(call.arguments))
    settings = {k: copy.deepcopy(v) if isinstance(v, list | dict | set) else v for k, v in call.settings.items()}
    with _process_state_restored():
        try:
            with _alarm(timeout):
                return evaluate(replace(call, arguments=arguments, settings=settings), call.function)
        except DeadlineError:
            return Fault("deadline", f"reward {call.reward!r} gave no answer within {timeout:g} s and was stopped")


@contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Raise DeadlineError after that time. A function that sets alarms itself (math-verify does) removes ours."""
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        with _alarm_of_thread(seconds):
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
def _alarm_of_thread(seconds: float) -> Iterator[None]:
    """Raise DeadlineError into this thread after that time, as soon as it runs Python code again."""
    thread, lock, over = threading.get_ident(), threading.Lock(), threading.Event()

    def ring() -> None:
        with lock:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(DeadlineError))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over.set()
        timer.cancel()


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
