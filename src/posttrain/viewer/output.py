"""Where a display writes to: a terminal or pipe that may go away while the run goes on."""

from __future__ import annotations

import logging
from typing import IO, Any

_log = logging.getLogger(__name__)


class Outlet:
    """A text file whose failures are a warning, once. `metrics.jsonl` holds what nobody sees from then on."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._gone = file, False

    def write(self, text: str) -> int:
        self._try("write", text)
        return len(text)

    def flush(self) -> None:
        self._try("flush")

    def _try(self, what: str, *arguments: str) -> None:
        if self._gone:
            return
        try:
            getattr(self._file, what)(*arguments)
        except (OSError, ValueError) as error:  # the reader has gone; the file is closed
            self._gone = True
            _log.warning("the run cannot be shown any more (%s); it goes on, see metrics.jsonl", error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
