"""Reward calls that are answered in the background, while other completions are still being sampled."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from posttrain.rewards.workers.call import Call
from posttrain.rewards.workers.outcome import Outcome
from posttrain.rewards.workers.pool import Bell, Pool


class BackgroundCalls:
    """Feeds a pool from a thread of its own. Nothing else may use the pool between `add` and `wait`.

    The outcome of a call does not depend on when it is made, so neither do the rewards.
    """

    def __init__(self, pool: Pool, timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout
        self._queue: deque[Call] = deque()
        self._keys: dict[Call, Hashable] = {}
        self._outcomes: dict[Hashable, Outcome] = {}
        self._bell: Bell | None = None
        self._work: Future[None] | None = None

    def add(self, key: Hashable, call: Call) -> None:
        """Queue a call; `pop(key)` will return its outcome."""
        self._keys[call] = key
        self._queue.append(call)
        if self._bell is None:
            self._bell = Bell()
            thread = ThreadPoolExecutor(1, thread_name_prefix="rewards")
            self._work = thread.submit(self._run, self._bell)
            thread.shutdown(wait=False)
        self._bell.ring()

    def wait(self) -> None:
        """Wait until every call is answered. Raises the error of a call that could not be made."""
        self._end(at_once=False)

    def pop(self, key: Hashable) -> Outcome | None:
        """Take the outcome of a call; None if there was no such call."""
        return self._outcomes.pop(key, None)

    def close(self) -> None:
        """Abandon the calls that are not answered yet."""
        self._queue.clear()
        self._end(at_once=True)
        self._outcomes.clear()

    def _end(self, *, at_once: bool) -> None:
        if self._bell is None or self._work is None:
            return
        bell, work, self._bell, self._work = self._bell, self._work, None, None
        bell.finish(at_once=at_once)
        try:
            work.result()
        finally:
            bell.close()
            self._keys.clear()

    def _run(self, bell: Bell) -> None:
        for call, outcome in self._pool.run(self._queue, self._timeout, bell):
            self._outcomes[self._keys[call]] = outcome
