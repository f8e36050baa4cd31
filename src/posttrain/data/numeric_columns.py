"""Numbers that the loss reads, from the columns of a record.

The `margin` of a pair goes to both of its rows, `chosen_reward` and `rejected_reward` to one each. The `reward` of a
ranking is a list with a number for each answer; `token_reward` is a list with a number for each token of the answer, or
of spans {start, end, value} of its text.
`attributes` is a list of numbers of one answer, with null for a label that is missing. A column that some records have
must be in all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from posttrain.data.spans import is_spans, read_spans
from posttrain.errors import DataError
from posttrain.records import Numbers, Record, Row


def numbers(
    columns: Mapping[str, Any], wanted: Mapping[str, str], *, side: str = "", place: int | None = None, places: int = 1
) -> dict[str, Any]:
    """Return the `wanted` columns that the record has, as numbers. Raises DataError for a cell that is not a number.

    `wanted`: the axes of each column by name; with "T" a cell may be a list with a number for each token of the answer,
    with "B K" it is a list of numbers of the answer.
    `side`: "chosen" or "rejected" of a pair; `place`: the place of an answer among `places`.
    """
    values: dict[str, Any] = {}
    for name in sorted(wanted):
        column = f"{side}_{name}" if f"{side}_{name}" in columns else name
        cell = columns.get(column)
        if cell is None:
            continue
        if place is not None:
            if not isinstance(cell, list | tuple) or len(cell) != places:
                raise DataError(f"{column!r} must be a list of {places} numbers, one for each answer, not {cell!r}")
            cell = cell[place]
        if wanted[name] == "B K":
            values[name] = _several(column, cell)
        elif wanted[name] == "T" and is_spans(cell):
            values[name] = read_spans(column, cell)
        elif wanted[name] == "T" and isinstance(cell, list | tuple):
            values[name] = tuple(_number(column, x) for x in cell)
        else:
            values[name] = _number(column, cell)
    return values


def _several(column: str, cell: Any) -> Numbers:
    if not isinstance(cell, list | tuple) or not cell:
        raise DataError(f"{column!r} must be a list of numbers, null where one is missing, not {cell!r}")
    return Numbers(math.nan if x is None else _number(column, x) for x in cell)


def _number(column: str, cell: Any) -> float:
    try:
        number = float(cell)  # also true and false, and text, since in CSV numbers are text
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{column!r} must be a finite number, because the method reads it; not {cell!r}")
    return number


def brought(records: Iterable[Record], rows: Mapping[int, list[Row]]) -> set[str]:
    """Return the names of the columns of all rows. Raises DataError where rows differ in these, or in their sizes."""
    names: set[str] | None = None
    sizes: dict[str, int] = {}
    for record in records:
        for row in rows[record.id]:
            if names is None:
                names = set(row.columns)
                sizes = _sizes(row)
            if sizes and (other := _sizes(row)) != sizes:
                raise DataError(f"{record.where}: {_listed(other)}, but other records have {_listed(sizes)}")
            if odd := sorted(names ^ set(row.columns)):
                raise DataError(
                    f"{record.where}: {odd[0]!r} is a number in some records or answers and missing in others; the "
                    "method reads it, so give it to all or to none"
                )
    return names or set()


def _sizes(row: Row) -> dict[str, int]:
    return {name: len(cell) for name, cell in row.columns.items() if isinstance(cell, Numbers)}


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} of {size} numbers" for name, size in sizes.items())
