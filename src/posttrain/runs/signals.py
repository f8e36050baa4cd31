"""SIGINT, SIGTERM and SIGHUP: the first one ends the run cleanly, a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from posttrain.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Handles the signals that ask a run to stop.

    Between `open` and `close` a signal raises StoppedError; inside `deferred` it is only recorded in `asked`. `kept`
    says what is left of the run when it stops. `on_asked` is called by the handler itself: it may set a flag, no more.
    """

    def __init__(self, kept: Callable[[], str], on_asked: Callable[[], None] = lambda: None) -> None:
        self.kept = kept
        self.on_asked = on_asked
        self.asked: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._deferred = False

    def open(self) -> None:
        """Install the handlers, in the main thread alone. A signal that is ignored (`nohup`) stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._arrived)

    def close(self) -> None:
        """Restore the handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """While active, a signal is recorded; the loop checks `asked` between steps. One that it missed is raised."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.asked is not None:
            raise self.stopped()

    def stopped(self) -> StoppedError:
        """Return the error of a run that was asked to stop."""
        assert self.asked is not None
        return StoppedError(f"stopped by {self.asked.name}; {self.kept()}", self.asked)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        self.asked = signal.Signals(number)
        for other in self._before:
            signal.signal(other, signal.SIG_DFL)  # the kernel's handler, which not even a long matrix product delays
        if not self._deferred:
            raise self.stopped()
        self.on_asked()
