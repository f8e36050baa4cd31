"""Cells inside of cells: `reward_model.ground_truth`, `messages.0.content`; a list of names is a column of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.errors import DataError, suggestion

Paths = str | Sequence[str]  # the name of a column of the file, or the names of several that become a list


def cell(row: Mapping[str, Any], path: Paths, ours: str) -> Any:
    """Return a column of the row, or what a dotted path leads to; a list of these for several.

    `ours` is the name that it gets, for errors.
    """
    if not isinstance(path, str):
        return [cell(row, one, ours) for one in path]
    if path in row:
        return row[path]
    value: Any = row
    for key in path.split("."):
        inner = _inside(value, key)
        if inner is None:
            has = value if isinstance(value, Mapping) else ()
            raise DataError(
                f"the column {path!r}, which is to be read as {ours!r}, is missing{suggestion(key, map(str, has))}; "
                f"{'this row' if value is row else 'the cell'} has {', '.join(map(str, has)) or 'no such part'}"
            )
        value = inner[0]
    return value


def _inside(value: Any, key: str) -> tuple[Any] | None:
    """Return the value of a key or the item of a position, in a tuple, or None where there is none."""
    if isinstance(value, Mapping):
        return (value[key],) if key in value else None
    if isinstance(value, Sequence) and not isinstance(value, str) and key.isdecimal():
        return (value[int(key)],) if int(key) < len(value) else None
    return None


def names(columns: Mapping[str, Paths]) -> list[str]:
    """Return the names of all columns of the file that are renamed."""
    return [name for paths in columns.values() for name in ([paths] if isinstance(paths, str) else paths)]


def root(row: Mapping[str, Any], path: str) -> str:
    """Return the column of the row that a path begins in."""
    return path if path in row else path.partition(".")[0]
