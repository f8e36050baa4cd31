"""`run.log` of an attempt: warnings, notes, how it began and ended, and the traceback of what stopped it.

The library logs through `logging` and configures nothing. While a run lasts, this listens and keeps a copy.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

FILE = "run.log"
LIBRARY = "posttrain"  # name of the logger that all of the library's own are children of

_log = logging.getLogger(__name__)


class RunLog(logging.Handler):
    """Listens to the library's log from its creation to `close`; what comes before `open` is kept in memory.

    A file that cannot be written ends the log with a warning, never the run.
    """

    def __init__(self) -> None:
        super().__init__()
        self._early: list[str] | None = []  # until the file is opened
        self._file: IO[str] | None = None
        logging.getLogger(LIBRARY).addHandler(self)

    def open(self, path: Path) -> None:
        """Append to a file from here on, beginning with what was kept."""
        try:
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self._give_up(path, error)
        early, self._early = self._early or [], None
        for line in early:
            self._write(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message of the library, and show it where nobody else listens: as if this did not, either."""
        self.say(record.levelname, f"{record.name}: {record.getMessage()}")
        silent = not logging.getLogger().handlers and _first_of_its_kind(self)
        if silent and logging.lastResort is not None and record.levelno >= logging.lastResort.level:
            logging.lastResort.handle(record)

    def say(self, what: str, text: str) -> None:
        """Write a line with the time; further lines of a text are indented."""
        line = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {what} {text}".replace("\n", "\n    ") + "\n"
        if self._early is not None:
            self._early.append(line)
        self._write(line)

    def fail(self, error: BaseException) -> None:
        """Write the traceback of what stopped the run."""
        self.say("FAILED", "".join(traceback.format_exception(error)).rstrip("\n"))

    def close(self) -> None:
        """Stop listening. May be called twice."""
        logging.getLogger(LIBRARY).removeHandler(self)
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()
        super().close()

    def _write(self, line: str) -> None:
        file = self._file
        if file is None:
            return
        try:
            file.write(line)
            file.flush()
        except OSError as error:
            self._file = None
            self._give_up(Path(file.name), error)

    def _give_up(self, path: Path, error: OSError) -> None:
        _log.warning("%s: cannot be written: %s; the run continues without it", path, error.strerror)


@contextmanager
def listening(wanted: bool) -> Iterator[RunLog | None]:
    """Yield a log, if one is wanted. It goes on after the block, which hands it on, and is closed if that fails."""
    log = RunLog() if wanted else None
    try:
        yield log
    except BaseException:
        if log is not None:
            log.close()
        raise


def _first_of_its_kind(log: RunLog) -> bool:
    """Whether a log comes first among the handlers of the library, which are all logs of runs."""
    handlers = logging.getLogger(LIBRARY).handlers
    return handlers[:1] == [log] and all(isinstance(one, RunLog) for one in handlers)
