"""Records of a source of the run file: a file, or rows that were given in Python under its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from posttrain.core.kinds import kind as kind_named
from posttrain.data.dataset import Dataset, from_rows, load
from posttrain.data.ordering import difficulties
from posttrain.errors import DataError

OF_ROWS = (
    "columns",
    "answer_after",
    "chat",
    "train_on",
    "feedback",
    "keep",
)  # settings that say how rows become records
GIVEN = "given:"  # how the names of objects begin that were given in Python


def read_source(given: Mapping[str, Any], spec: str, kind: str, *, size: int | None = None, **how: Any) -> Dataset:
    """Read records of a kind. `given`: objects by name; `how`: as in data.dataset.load. Raises DataError."""
    if spec not in given:
        if spec.startswith(GIVEN):
            raise DataError(
                f"{spec} stands for rows that were given in Python, so only the program that has them can go on: "
                "posttrain.train(..., resume=True) with the same rows"
            )
        return load(spec, kind, size=size, **how)
    if how.pop("window", None) is not None:
        raise DataError(f"{spec} stands for rows that are in memory, so that there is nothing to stream; remove stream")
    rows = given[spec]
    if not isinstance(rows, Dataset):
        return from_rows(_first(rows, size), kind, name=spec, **how)
    wanted = kind_named(kind).record
    if other := next((r for r in rows if not isinstance(r, wanted)), None):
        raise DataError(f"{spec} has records of {type(other).__name__}, but {kind} ({wanted.__name__}) are read here")
    if ignored := [name for name in OF_ROWS if how.get(name) not in (None, False, "all", {})]:
        raise DataError(f"{spec} has records already, so that {ignored[0]} has no effect; give rows, or leave it out")
    records = rows.records if size is None else rows.records[:size]
    order = how.get("order", "shuffled")
    if len(records) == len(rows) and order == "shuffled":
        return rows
    return replace(rows, records=records, difficulty=difficulties(records, order), mixture=None, _order={})


def _first(rows: Any, size: int | None) -> Any:
    """The first rows of a list or of a datasets.Dataset."""
    if size is None or size >= len(rows):
        return rows
    return rows.select(range(size)) if hasattr(rows, "select") else rows[:size]
