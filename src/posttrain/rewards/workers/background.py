"""Calls that are answered while the trainer does something else: the answers still to come are being written."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from posttrain.rewards.workers.call import Call, Outcome
from posttrain.rewards.workers.pool import Bell, Pool


class Ahead:
    """Feeds a pool from a thread of its own. Nobody else may use the pool between `add` and `wait`.

    What comes of a call does not depend on when it is made, so neither do the rewards.
    """

    def __init__(self, pool: Pool, timeout: float) -> None:
        self._pool, self._timeout = pool, timeout
        self._queue: deque[Call] = deque()
        self._keys: dict[Call, Hashable] = {}
        self._outcomes: dict[Hashable, Outcome] = {}
        self._bell: Bell | None = None
        self._work: Future[None] | None = None

    def add(self, key: Hashable, call: Call) -> None:
        """Have a call answered; its outcome will bear this name."""
        self._keys[call] = key
        self._queue.append(call)
        if self._bell is None:
            self._bell = Bell()
            thread = ThreadPoolExecutor(1, thread_name_prefix="rewards")
            self._work = thread.submit(self._run, self._bell)
            thread.shutdown(wait=False)
        self._bell.ring()

    def wait(self) -> None:
        """Until every call is answered. Raises what went wrong on the way."""
        self._end(at_once=False)

    def pop(self, key: Hashable) -> Outcome | None:
        """What came of a call; None if nobody made it."""
        return self._outcomes.pop(key, None)

    def close(self) -> None:
        """Give up the calls that are not answered."""
        self._queue.clear()
        self._end(at_once=True)
        self._outcomes.clear()

    def _end(self, *, at_once: bool) -> None:
        if self._bell is None or self._work is None:
            return
        bell, work, self._bell, self._work = self._bell, self._work, None, None
        bell.last(at_once=at_once)
        try:
            work.result()
        finally:
            bell.close()
            self._keys.clear()

    def _run(self, bell: Bell) -> None:
        for call, outcome in self._pool.run(self._queue, self._timeout, bell):
            self._outcomes[self._keys[call]] = outcome
