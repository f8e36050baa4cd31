"""A pool of worker processes that share a queue of calls."""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress

from posttrain.errors import RewardError
from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.children import Child, start_python
from posttrain.rewards.workers.framing import pack
from posttrain.rewards.workers.killable import wait
from posttrain.rewards.workers.outcome import Outcome
from posttrain.rewards.workers.printed import Printed
from posttrain.rewards.workers.process import WorkerProcess


class Bell:
    """Wakes a pool that is waiting for calls: there is another one, or there will be no more.

    `open`: more calls may come; `given_up`: calls without an answer are abandoned.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self.open = True
        self.given_up = False

    def ring(self) -> None:
        """Wake the pool. May be called from any thread."""
        os.write(self._write, b"\0")

    def finish(self, *, at_once: bool) -> None:
        """Announce that no more calls will come; `at_once`: those without an answer are abandoned."""
        self.open = False
        self.given_up = at_once
        self.ring()

    def fileno(self) -> int:
        """File descriptor that becomes readable when the bell rings."""
        return self._read

    def clear(self) -> None:
        """Forget the rings so far."""
        with suppress(BlockingIOError):
            os.read(self._read, 1 << 16)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Pool:
    """At most `size` processes, started when first needed and replaced when they die. Not thread-safe.

    `printed` collects what functions print, call by call.
    """

    def __init__(self, size: int, start: Callable[[], Child] = start_python) -> None:
        self._size = size
        self._start = start
        self.printed: deque[Printed] = deque()
        self._idle: list[WorkerProcess] = []
        self._living: set[WorkerProcess] = set()
        self._finalizer = weakref.finalize(self, _kill_all, self._living, os.getpid())  # when close was forgotten

    def run(
        self, queue: deque[Call], timeout: float, bell: Bell | None = None
    ) -> Generator[tuple[Call, Outcome], None, None]:
        """Answer the calls of the queue and yield their outcomes as they become known.

        The caller may add calls meanwhile, and from another thread if it rings the `bell`. `timeout` is for one call,
        in seconds. Closing the generator early kills the workers that are still busy.
        """
        busy: dict[WorkerProcess, Call] = {}
        try:
            while queue or busy or (bell is not None and bell.open):
                while queue and len(busy) < self._size:
                    call = queue.popleft()
                    worker = self._idle_worker()
                    try:
                        worker.ask(call, timeout)
                    except (TypeError, ValueError, RecursionError) as error:
                        self._idle.append(worker)
                        yield call, _unwritable(call, error)
                        continue
                    busy[worker] = call
                if not busy and (bell is None or not bell.open):
                    continue
                wait(busy, *([] if bell is None else [bell]))
                if bell is not None:
                    bell.clear()
                if bell is not None and bell.given_up:
                    return
                for worker in list(busy):
                    outcome = worker.poll()
                    if outcome is not None:
                        call = busy.pop(worker)
                        if text := worker.printed.text:
                            self.printed.append(Printed(call.reward, text))
                        self._idle.append(worker)
                        yield call, outcome
        finally:
            for worker in busy:
                self._discard(worker)

    def warm(self) -> None:
        """Start all processes now."""
        while len(self._living) < self._size:
            worker = WorkerProcess(self._start())
            self._living.add(worker)
            self._idle.append(worker)

    def close(self) -> None:
        """End all workers. The pool cannot be used again."""
        self._finalizer()
        self._idle.clear()

    def _idle_worker(self) -> WorkerProcess:
        if not self._finalizer.alive:
            raise RewardError("the scorer is closed; make another one")
        while self._idle:
            worker = self._idle.pop()
            if worker.usable():
                return worker
            self._discard(worker)
        worker = WorkerProcess(self._start())
        self._living.add(worker)
        return worker

    def _discard(self, worker: WorkerProcess) -> None:
        worker.kill()
        self._living.discard(worker)


def _unwritable(call: Call, error: Exception) -> Fault:
    """Describe the column or setting that JSON cannot hold."""
    named: dict[str, object] = {**call.arguments, **call.settings}
    for name, values in named.items():
        try:
            pack({name: values})
        except (TypeError, ValueError, RecursionError) as reason:
            return Fault("setup", f"reward {call.reward!r}: {name!r} cannot be sent to a worker process: {reason}")
    return Fault("setup", f"reward {call.reward!r} cannot be sent to a worker process: {error}")


def _kill_all(living: set[WorkerProcess], owner: int) -> None:
    while living and os.getpid() == owner:  # a forked child of the trainer must leave them alone
        living.pop().kill()
