"""The output of a display: a terminal or pipe that may be closed while the run continues."""

from __future__ import annotations

import logging
from typing import IO, Any

_log = logging.getLogger(__name__)


class Output:
    """A text stream whose first failure is a warning, after which it drops everything: `metrics.jsonl` has it all."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._closed = False

    def write(self, text: str) -> int:
        """Write a text, unless an earlier write failed."""
        self._try("write", text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, unless an earlier write failed."""
        self._try("flush")

    def _try(self, what: str, *arguments: str) -> None:
        if self._closed:
            return
        try:
            getattr(self._file, what)(*arguments)
        except (OSError, ValueError) as error:  # the reader is gone, or the file closed
            self._closed = True
            _log.warning("the display is closed (%s); the run continues, see metrics.jsonl", error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
