"""`rewards.log`: what reward functions and environments printed, by step."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

PRINTED = "rewards.log"

_log = logging.getLogger(__name__)


def write_printed(path: Path, step: int, printed: Iterable[tuple[str, str]]) -> None:
    """Append (who, text) of a step; who is "reward length", say.

    A disk that is full must not end a run for a log: it is a warning.
    """
    text = "".join(f"---- step {step}, {who}\n{said}\n" for who, said in printed)
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        _log.warning("%s: cannot be written: %s", path, error.strerror)
