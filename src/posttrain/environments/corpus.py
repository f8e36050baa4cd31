"""A corpus that can be searched: the encyclopedia that ships, or a file of the user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from posttrain.data.generators.encyclopedia import Passage, passages
from posttrain.environments.bm25 import Bm25
from posttrain.errors import DataError


@dataclass(frozen=True)
class Corpus:
    """Passages and their index."""

    passages: tuple[Passage, ...]
    index: Bm25

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the k passages that fit the query best, by their titles and texts; fewer where few have its words."""
        return [self.passages[number] for number in self.index.search(query, k)]


@cache
def corpus_of(file: str | None) -> Corpus:
    """Return the corpus of a file, jsonl with `title` and `text` in each line; None: the encyclopedia that ships.

    Raises DataError for a file that is none.
    """
    found = passages() if file is None else _read(Path(file))
    return Corpus(found, Bm25([f"{passage.title} {passage.text}" for passage in found]))


def _read(file: Path) -> tuple[Passage, ...]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"corpus {file} cannot be read: {error}") from error
    return tuple(_passage(line, f"{file}:{number}") for number, line in enumerate(lines, 1))


def _passage(line: str, where: str) -> Passage:
    try:
        row = json.loads(line)
        return Passage(str(row["title"]), str(row["text"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{where}: a passage is a line {{title: ..., text: ...}}, but: {error!r:.100}") from error
