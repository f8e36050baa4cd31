"""Wall-clock time of each part of a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from posttrain.machine.timeline import nothing


class StepTimers:
    """Seconds spent in each part of a step: `with timers("sampling"): ...`. A `timeline` gets them one by one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.timeline: Callable[[str], AbstractContextManager[None]] = nothing

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            with self.timeline(name):
                yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start

    def read(self) -> dict[str, float]:
        """Return the seconds since the last call, by the names of their metrics, and start again from 0."""
        seconds, self.seconds = self.seconds, {}
        return {f"time/{name}": s for name, s in seconds.items()}
