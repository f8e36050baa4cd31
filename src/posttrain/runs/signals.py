"""SIGINT, SIGTERM and SIGHUP: the first ends the run in good order, a second one at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from posttrain.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Who asked the run to stop. Between `open` and `close` a signal raises StoppedError; in `deferred` it is kept."""

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._deferred = False

    def open(self) -> None:
        """Take the signals over; what is ignored (`nohup`) stays so. Only a main thread gets any."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._arrived)

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Steps that are worth finishing: who runs them looks at `asked` between them."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def stopped(self, what_is_kept: str) -> StoppedError:
        """The error of a run that was asked to stop."""
        assert self.asked is not None
        return StoppedError(f"stopped by {self.asked.name}; {what_is_kept}", self.asked)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        self.asked = signal.Signals(number)
        for other in self._before:
            signal.signal(other, signal.SIG_DFL)  # of the kernel, so that not even a long matrix product delays it
        if not self._deferred:
            raise self.stopped("continue with --resume")
