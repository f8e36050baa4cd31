"""A result that takes long, kept piece by piece while it is computed: `rounds/trees.pieces.jsonl`.

A run that is interrupted reads the pieces that are whole and goes on behind them. Its first line says where in the run
it was made; pieces of another place are thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from posttrain.runs import durable


class Pieces:
    """The pieces of one result, in their order. Without a file nothing is kept."""

    def __init__(self, path: Path | None = None, entry: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.entry = dict(entry or {})
        self.known: list[Any] = []
        if path is not None and path.exists():
            first, *known = list(_whole_lines(path)) or [None]
            self.known = known if first == self.entry else []
            self._rewrite()

    def add(self, piece: Any) -> None:
        """Keep one more piece. It is on disk before this returns."""
        self.known.append(piece)
        if self.path is None:
            return
        if not self.path.exists():
            self._rewrite()
        else:
            durable.append_line(self.path, json.dumps(piece, ensure_ascii=False))

    def done(self) -> None:
        """Remove the pieces: the whole result is kept now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _rewrite(self) -> None:
        """Write what is known, without a line that a kill has torn."""
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(x, ensure_ascii=False) + "\n" for x in (self.entry, *self.known))
        durable.write_text(self.path, "".join(lines))


def _whole_lines(path: Path) -> Iterator[Any]:
    *whole, _torn = path.read_bytes().split(b"\n")  # and not splitlines: a text may hold other ends of lines
    yield from map(json.loads, whole)
