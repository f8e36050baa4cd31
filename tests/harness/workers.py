"""Worker processes that serve one test after another: starting one takes longer than most runs need it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from posttrain.rewards.workers.children import start_python
from posttrain.rewards.workers.pool import Pool
from posttrain.rewards.workers.process import WorkerProcess

_spare: list[WorkerProcess] = []


@contextmanager
def shared_workers() -> Iterator[None]:
    """Inside, a pool that is closed leaves its idle processes to the next one."""
    close, take = Pool.close, Pool._idle_worker

    def leave(pool: Pool) -> None:
        if pool._start is start_python:
            idle = {w for w in pool._idle if w.usable()}
            _spare.extend(idle)
            pool._living.difference_update(idle)
        close(pool)

    def reuse(pool: Pool) -> WorkerProcess:
        if pool._start is start_python and not pool._idle and _spare:
            pool._idle.append(_spare.pop())
            pool._living.update(pool._idle)
        return take(pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pool, "close", leave)
        patch.setattr(Pool, "_idle_worker", reuse)
        yield


def end_shared_workers() -> None:
    """Kill the processes that wait for a next test."""
    while _spare:
        _spare.pop().kill()
