"""A tracker that follows a run on a thread of its own: neither its errors nor its waiting reach the run."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from posttrain.trackers.tracker import Row, Tracker
from posttrain.turns import last_message

if TYPE_CHECKING:
    from posttrain.records import Episode

BEHIND = 10_000  # messages that may wait for a slow tracker; later ones are left out
PATIENCE = 30.0  # seconds that the end of a run waits for a tracker
ROWS = 64  # answers of a step that a tracker gets

_log = logging.getLogger(__name__)
Message = Callable[[Tracker], None]


class Follower:
    """Starts a tracker on a thread at the first step that it is told, and passes on what the run tells.

    The first failure is logged; then it is silent.
    """

    def __init__(self, name: str, start: Callable[[int], Tracker], *, patience: float = PATIENCE) -> None:
        self.name = name
        self.patience = patience
        self.failed = False
        self._messages: queue.Queue[Message | None] = queue.Queue(BEHIND)
        self._start = start
        self._thread: threading.Thread | None = None

    def metrics(self, step: int, row: Mapping[str, Any]) -> None:
        """Pass on the numbers of a step; texts and numbers that are not finite are left out."""
        numbers = {
            name: float(x)
            for name, x in row.items()
            if isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
        }
        self._begin(step)
        self._tell(lambda tracker: tracker.metrics(step, numbers))

    def samples(self, step: int, episodes: Sequence[Episode]) -> None:
        """Pass on the first answers of a step."""
        rows: list[Row] = [(last_message(e.prompt.prompt), e.text, e.reward) for e in episodes[:ROWS]]
        if rows:
            self._begin(step)
            self._tell(lambda tracker: tracker.samples(step, rows))

    def finish(self, *, failed: bool) -> None:
        """End the record, and wait a moment for the tracker to be done."""
        if self._thread is None or self.failed:
            return
        self._tell(lambda tracker: tracker.finish(failed=failed))
        self._tell(None)
        self._thread.join(self.patience)
        if self._thread.is_alive():
            self._fail(f"is not done after {self.patience:g} seconds; its last values may be missing")

    def _begin(self, step: int) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(step,), name=f"tracker {self.name}", daemon=True)
            self._thread.start()

    def _tell(self, message: Message | None) -> None:
        if self.failed:
            return
        try:
            self._messages.put_nowait(message)
        except queue.Full:
            self._fail(f"is {BEHIND} messages behind")

    def _work(self, step: int) -> None:
        try:
            tracker = self._start(step)
            while message := self._messages.get():
                message(tracker)
        except BaseException as error:  # noqa: BLE001 -- whatever a tracker raises, the run is not its business
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, what: str) -> None:
        if not self.failed:
            _log.warning("report: %s %s; it gets nothing more, and the run goes on", self.name, what)
        self.failed = True
