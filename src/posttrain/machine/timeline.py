"""What a process does when: events in Chrome's trace format, for ui.perfetto.dev or chrome://tracing.

One file a process; `cat rank-*.json > all.json` shows all of them on one clock. The list needs no closing bracket, so a
file is complete whenever the process ends.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Timeline:
    """The events of one process: `with timeline("sampling"): ...`. `process` is its number, `name` how it is shown."""

    def __init__(self, path: Path, process: int, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        begins = process == 0 and not path.exists()
        self.process = process
        self._file = path.open("ab", buffering=0)
        if begins:
            self._file.write(b"[\n")
        self._add({"name": "process_name", "ph": "M", "args": {"name": name}})

    @contextmanager
    def __call__(self, name: str, **about: str | float) -> Iterator[None]:
        """Note when the block began, how long it took and in which thread it ran. `about` is shown with it."""
        start = time.time_ns()
        try:
            yield
        finally:
            duration = (time.time_ns() - start) / 1000
            self._add({"name": name, "ph": "X", "ts": start / 1000, "dur": duration, "args": about})

    def _add(self, event: dict[str, object]) -> None:
        """Append an event in one write, so that threads do not mix theirs."""
        event |= {"pid": self.process, "tid": threading.get_native_id()}
        self._file.write(json.dumps(event).encode() + b",\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def nothing(name: str, **about: str | float) -> Iterator[None]:  # noqa: ARG001 (a timeline's)
    """A timeline that notes nothing."""
    yield
