"""Values of Arrow (Parquet, datasets, Feather) as the values of JSON that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


class ArrowRow(dict[str, Any]):
    """A row whose structs have the keys of all rows together: a key that is null may be one that the row lacks."""


def arrow_row(values: Mapping[str, Any]) -> ArrowRow:
    """Return a row with dates and times as ISO text and decimals as numbers, or as text where no number is exact."""
    return ArrowRow({str(name): plain(value) for name, value in values.items()})


def plain(value: Any) -> Any:
    """Return the value that JSON has for one of Arrow; bytes and unknown types stay as they are."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, Mapping):
        return {name: plain(x) for name, x in value.items()}
    if isinstance(value, list) and value and all(isinstance(x, tuple) for x in value):
        return {str(name): plain(x) for name, x in value}  # a map
    if isinstance(value, list | tuple):
        return [plain(x) for x in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _number(value) if isinstance(value, Decimal) else value


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def without_nulls(value: Any) -> Any:
    """Return the same lists and objects without the keys that are null, at every depth."""
    if isinstance(value, Mapping):
        return {name: without_nulls(x) for name, x in value.items() if x is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(x) for x in value]
    return value
