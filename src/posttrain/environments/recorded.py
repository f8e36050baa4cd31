"""What an environment answered that does not answer alike again, so that a run which was killed reads it instead.

One line of JSON an answer, in the order in which they came. Only a resumed run reads them, each once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from posttrain.errors import StorageError
from posttrain.seeds import seed_for

Key = tuple[int, int, int]  # training steps before the episode, its seed, and the turn (0: how it began)


class Recorded:
    """Answers by episode, turn and action, in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._open: IO[str] | None = None
        self._known = {tuple(row["key"]): row for row in _rows(file)}

    def take(self, key: Key, action: Mapping[str, Any] | None) -> Any:
        """Return the answer to this action in an earlier attempt of the run, once; None if there was none."""
        row = self._known.pop(key, None)
        return row["answer"] if row is not None and row["action"] == _digest(action) else None

    def add(self, key: Key, action: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> None:
        """Keep an answer. Raises StorageError where it cannot be written: the run could not be resumed."""
        line = json.dumps({"key": key, "action": _digest(action), "answer": answer}, ensure_ascii=False)
        try:
            if self._open is None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self._open = self.file.open("a", encoding="utf-8")
            self._open.write(f"{line}\n")
            self._open.flush()
        except OSError as error:
            raise StorageError(f"{self.file}: cannot be written ({error.strerror}); free some space") from error

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _digest(action: Mapping[str, Any] | None) -> int:
    return seed_for(json.dumps(action, sort_keys=True))


def _rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file. A line that was cut off by a kill is none, and the answer is asked for again."""
    if not file.is_file():
        return []
    rows = []
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows
