"""Rows of a file in any known format: pairs of (where, row) with `where` such as "train.jsonl:17"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from posttrain.data.readers.json_rows import json_rows, jsonl_rows
from posttrain.data.readers.table_rows import csv_rows, parquet_rows, tsv_rows, txt_rows
from posttrain.errors import DataError, suggestion

READERS: dict[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".jsonl": jsonl_rows,
    ".json": json_rows,
    ".csv": csv_rows,
    ".tsv": tsv_rows,
    ".txt": txt_rows,
    ".parquet": parquet_rows,
}


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows with their places. DataError names file, line and column and the remedy; an empty file is an error."""
    suffix = suffix_of(path)
    if path.is_dir():
        raise DataError(f"{path}: a folder; name a file in it")
    if suffix not in READERS:
        raise DataError(f"{path}: unknown file format {suffix!r}; known: {', '.join(READERS)}, and text as .gz")
    if not path.exists():
        raise DataError(f"{path}: no such file{_neighbour(path)}")
    empty = True
    for where, row in READERS[suffix](path):
        empty = False
        yield where, row
    if empty:
        raise DataError(f"{path}: 0 examples; the file holds no rows")


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format: the one before `.gz`, unless that is Parquet's own compression."""
    inner = Path(path.stem).suffix.lower()
    return inner if path.suffix.lower() == ".gz" and inner != ".parquet" else path.suffix.lower()


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist"
    return suggestion(path.name, (p.name for p in path.parent.iterdir()))
