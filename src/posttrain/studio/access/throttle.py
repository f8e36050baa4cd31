"""Slows down whoever guesses passwords: after a few failures each further one doubles the wait."""

from __future__ import annotations

import time
from collections.abc import Callable

FREE = 5  # failures without a wait
LONGEST = 900.0  # seconds
KNOWN = 10_000  # names that are remembered


class Throttle:
    """Counts failures by name. A success forgets them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def wait(self, name: str) -> float:
        """Return the seconds until the next attempt under this name is looked at; 0 for now."""
        count, last = self._failures.get(name, (0, 0.0))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(2.0 ** min(count - FREE, 30), LONGEST) - self._clock())

    def failed(self, name: str) -> None:
        """Count a failure. The oldest name makes room when there are too many."""
        count, _ = self._failures.pop(name, (0, 0.0))
        if len(self._failures) >= KNOWN:
            self._failures.pop(next(iter(self._failures)))
        self._failures[name] = (count + 1, self._clock())

    def succeeded(self, name: str) -> None:
        """Forget the failures of a name."""
        self._failures.pop(name, None)
