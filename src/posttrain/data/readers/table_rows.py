"""Rows of CSV, TSV, TXT, Parquet and Arrow files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posttrain.data.readers.arrow_values import arrow_row
from posttrain.data.readers.text_lines import read_lines
from posttrain.errors import DataError, MissingExtraError

AT_ONCE = 1000  # rows of Parquet that are held as Python objects


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows as dictionaries of text. The first row names the columns."""
    header: list[str] | None = None
    for where, cells in _cells(path, delimiter):
        if header is None:
            header = cells
            _check_header(header, where)
        elif len(cells) != len(header):
            raise DataError(
                f"{where}: {len(cells)} cells, but the header names {len(header)} columns; "
                f"quote cells that contain {delimiter!r} or line breaks"
            )
        else:
            yield where, dict(zip(header, cells, strict=True))


def _cells(path: Path, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader((line for _, line in read_lines(path)), delimiter=delimiter, strict=True)
    while True:
        where = f"{path}:{reader.line_num + 1}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{where}: not valid CSV ({error}); check the quotes, or use JSONL") from None
        if cells is None:
            return
        if cells:
            yield where, cells


def _check_header(header: list[str], where: str) -> None:
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"{where}: the column {twice[0]!r} stands twice in the header; rename one of them")


def tsv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of a CSV file that is separated by tabs."""
    return csv_rows(path, "\t")


def txt_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every line that is not blank as a row with the column `text`."""
    for number, line in read_lines(path):
        if line.strip():
            yield f"{path}:{number}", {"text": line.rstrip("\r\n")}


def parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of a Parquet file, named by their number. Needs pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("reading Parquet files", "data") from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}:{number}", arrow_row(row)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not a sound Parquet file ({reason}); copy or download it again") from None


def arrow_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of an Arrow or Feather file, also one that `datasets` wrote. Needs pyarrow."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError:
        raise MissingExtraError("reading Arrow files", "data") from None
    number = 0
    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                reader = pyarrow.ipc.open_file(source)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            except pyarrow.ArrowInvalid:
                source.seek(0)
                batches = iter(pyarrow.ipc.open_stream(source))
            for batch in batches:
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}:{number}", arrow_row(row)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not a sound Arrow file ({reason}); copy or download it again") from None
