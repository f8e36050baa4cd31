"""A few worker processes that share a queue of calls."""

from __future__ import annotations

import os
import selectors
import weakref
from collections import deque
from collections.abc import Generator
from contextlib import suppress

from posttrain.errors import RewardError
from posttrain.rewards.workers.call import Call, Fault, Outcome
from posttrain.rewards.workers.framing import pack
from posttrain.rewards.workers.process import WorkerProcess


class Bell:
    """Wakes a pool that waits for calls: there is another one, or there will be no more."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self.open, self.given_up = True, False

    def ring(self) -> None:
        os.write(self._write, b"\0")

    def last(self, *, at_once: bool) -> None:
        """No more calls will come; `at_once` those that are not answered are given up."""
        self.open, self.given_up = False, at_once
        self.ring()

    def fileno(self) -> int:
        return self._read

    def hush(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._read, 1 << 16)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Pool:
    """At most `size` processes, started when first needed and replaced when they die. Not for several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: list[WorkerProcess] = []
        self._living: set[WorkerProcess] = set()
        self._finalizer = weakref.finalize(self, _kill_all, self._living, os.getpid())  # when close was forgotten

    def run(
        self, queue: deque[Call], timeout: float, bell: Bell | None = None
    ) -> Generator[tuple[Call, Outcome], None, None]:
        """Empty the queue; outcomes come as they are known. The caller may add calls meanwhile, from another thread
        if it rings the bell.

        `timeout` is for one call, in seconds. Leaving early kills the workers that are still busy.
        """
        busy: dict[WorkerProcess, Call] = {}
        try:
            while queue or busy or (bell is not None and bell.open):
                while queue and len(busy) < self._size:
                    call = queue.popleft()
                    worker = self._free()
                    try:
                        worker.ask(call, timeout)
                    except (TypeError, ValueError, RecursionError) as error:
                        self._idle.append(worker)
                        yield call, _unwritable(call, error)
                        continue
                    busy[worker] = call
                if not busy and (bell is None or not bell.open):
                    continue
                _wait(busy, bell)
                if bell is not None and bell.given_up:
                    return
                for worker in list(busy):
                    outcome = worker.poll()
                    if outcome is not None:
                        call = busy.pop(worker)
                        self._idle.append(worker)
                        yield call, outcome
        finally:
            for worker in busy:
                self._bury(worker)

    def close(self) -> None:
        self._finalizer()
        self._idle.clear()

    def _free(self) -> WorkerProcess:
        if not self._finalizer.alive:
            raise RewardError("the scorer is closed; make another one")
        while self._idle:
            worker = self._idle.pop()
            if worker.fit():
                return worker
            self._bury(worker)
        worker = WorkerProcess()
        self._living.add(worker)
        return worker

    def _bury(self, worker: WorkerProcess) -> None:
        worker.kill()
        self._living.discard(worker)


def _wait(busy: dict[WorkerProcess, Call], bell: Bell | None) -> None:
    """Until a worker has something to say, the nearest deadline is over, or the bell rings."""
    with selectors.PollSelector() as selector:
        if bell is not None:
            selector.register(bell, selectors.EVENT_READ)
        for worker in busy:
            for pipe in worker.readable():
                selector.register(pipe, selectors.EVENT_READ)
            for pipe in worker.writable():
                selector.register(pipe, selectors.EVENT_WRITE)
        selector.select(min((worker.remaining for worker in busy), default=None))
    if bell is not None:
        bell.hush()


def _unwritable(call: Call, error: Exception) -> Fault:
    """Name the column that JSON cannot hold."""
    named: dict[str, object] = {**call.arguments, **call.settings}
    for name, values in named.items():
        try:
            pack({name: values})
        except (TypeError, ValueError, RecursionError) as reason:
            return Fault("setup", f"reward {call.reward!r}: {name!r} cannot be sent to a worker process: {reason}")
    return Fault("setup", f"reward {call.reward!r} cannot be sent to a worker process: {error}")


def _kill_all(living: set[WorkerProcess], owner: int) -> None:
    while living and os.getpid() == owner:  # a forked child of the trainer ends none of them
        living.pop().kill()
