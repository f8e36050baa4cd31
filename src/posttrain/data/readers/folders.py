"""Files behind a pattern or a folder: `shards/*.jsonl`, `shards/`. They are read in the order of their names."""

from __future__ import annotations

import re
from collections.abc import Collection
from glob import glob
from pathlib import Path

from posttrain.data.readers.compressed import SUFFIXES
from posttrain.errors import DataError

PATTERN = re.compile(r"[*?\[]")
ABOUT = (
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
)  # written beside data by datasets
PARTS = re.compile(r"(?:^|[^a-z])(train|test|valid|validation|val|eval|dev|heldout)(?:[^a-z]|$)")


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format: the one before `.gz`, unless that is Parquet's own compression."""
    inner = Path(path.stem).suffix.lower()
    return inner if path.suffix.lower() in SUFFIXES and inner != ".parquet" else path.suffix.lower()


def files_of(name: str, formats: Collection[str]) -> list[Path]:
    """Return the files that a pattern fits, those of a folder, or the one file of that name.

    DataError if there is none, or if a folder holds what does not belong together.
    """
    path = Path(name)
    if path.is_dir():
        return _in_folder(path, formats)
    if path.exists() or not PATTERN.search(name):
        return [path]
    found = sorted(Path(p) for p in glob(name, recursive=True) if Path(p).is_file())
    if not found:
        raise DataError(f"{name}: no file fits this pattern")
    return found


def _in_folder(folder: Path, formats: Collection[str]) -> list[Path]:
    files = sorted(p for p in folder.iterdir() if p.is_file() and suffix_of(p) in formats and p.name not in ABOUT)
    rows = [p for p in files if suffix_of(p) != ".txt"] or files  # a README.txt beside them is none
    if not rows:
        below = "; its folders may, name one of them" if any(p.is_dir() for p in folder.iterdir()) else ""
        raise DataError(f"{folder}: the folder holds no file of a known format ({', '.join(formats)}){below}")
    if len(kinds := sorted({suffix_of(p) for p in rows})) > 1:
        raise DataError(f"{folder}: the folder holds files of several formats; name one: {folder}/*{kinds[0]}")
    if len(parts := sorted({m[1] for p in rows if (m := PARTS.search(p.stem.lower()))})) > 1:
        raise DataError(f"{folder}: the folder holds {' and '.join(parts)}; name one: {folder}/*{parts[0]}*{kinds[0]}")
    return rows
