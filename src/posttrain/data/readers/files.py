"""Rows of a file in any known format: pairs of (where, row) with `where` such as "train.jsonl:17"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from posttrain.data.readers.folders import files_of, suffix_of
from posttrain.data.readers.json_rows import json_rows, jsonl_rows
from posttrain.data.readers.table_rows import arrow_rows, csv_rows, parquet_rows, tsv_rows, txt_rows
from posttrain.errors import DataError, suggestion

READERS: dict[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".jsonl": jsonl_rows,
    ".ndjson": jsonl_rows,
    ".json": json_rows,
    ".csv": csv_rows,
    ".tsv": tsv_rows,
    ".txt": txt_rows,
    ".parquet": parquet_rows,
    ".arrow": arrow_rows,
    ".feather": arrow_rows,
}


def read(name: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file, of a folder, or of the files that a pattern fits, with their places."""
    for path in files_of(str(name), READERS):
        yield from read_file(path)


def read_file(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows with their places. DataError names file, line and column and the remedy; an empty file is an error."""
    suffix = suffix_of(path)
    if suffix not in READERS:
        raise DataError(f"{path}: unknown file format {suffix!r}; known: {', '.join(READERS)}, and text as .gz or .zst")
    if not path.exists():
        raise DataError(f"{path}: no such file{_neighbour(path)}")
    empty = True
    for where, row in READERS[suffix](path):
        empty = False
        yield where, row
    if empty:
        raise DataError(f"{path}: 0 examples; the file holds no rows")


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist"
    return suggestion(path.name, (p.name for p in path.parent.iterdir()))
