"""Which records are kept, by numbers in their columns: prompts of a solve rate between 0.2 and 0.8, ratings above 3."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from posttrain.data.notices import Notices
from posttrain.errors import DataError
from posttrain.records import Record

Ranges = Mapping[str, Sequence[float]]  # column: lowest and highest number, both included


def kept(records: Iterable[Record], ranges: Ranges, notices: Notices) -> tuple[Record, ...]:
    """Return the records whose columns lie in all ranges; the others are counted. DataError where one has no number."""
    found = []
    for r in records:
        outside = next((c for c, (low, high) in ranges.items() if not low <= _number(r, c) <= high), None)
        if outside is None:
            found.append(r)
        else:
            low, high = ranges[outside]
            notices.add(f"left out, because {outside!r} is not from {low:g} to {high:g} (keep)", r.where)
    return tuple(found)


def _number(record: Record, column: str) -> float:
    cell: Any = record.columns.get(column)
    try:
        number = float(cell)  # also true and false, and text, since in CSV numbers are text
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        what = "is missing" if cell is None else f"is {cell!r:.40}"
        raise DataError(f"{record.where}: keep needs a number in the column {column!r}, which {what}")
    return number
