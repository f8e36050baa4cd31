"""The door of feedback files: rows that are acts of feedback become rows of the kind that is read; others stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from posttrain.core import kinds
from posttrain.data.error_context import errors_at
from posttrain.data.feedback.act import is_act
from posttrain.data.feedback.judgements import type_of
from posttrain.data.feedback.views import View, read_acts
from posttrain.data.feedback.views import rows as rows_of
from posttrain.data.notices import Notices
from posttrain.data.readers.arrow_values import arrow_row, without_nulls
from posttrain.errors import DataError

Given = Iterable[Mapping[str, Any] | tuple[Any, ...]]
KIND_OF = {  # the kind that a file is shown as whose first judgement is of this type
    **dict.fromkeys(("preference", "rating", "edit"), "pairs"),
    "ranking": "rankings",
    "demonstration": "demonstrations",
    **dict.fromkeys(("label", "signal", "safety"), "ratings"),
}


def as_rows(
    given: Given,
    kind: str,
    settings: Mapping[str, Any] | None,
    reads: Callable[[str], bool] | None,
    notices: Notices,
    name: str,
    required: bool = True,
) -> tuple[Given, list[DataError]]:
    """Return the rows of a kind that acts of feedback become, and what is wrong with acts; other rows as they are.

    `settings`: of a View. `reads`: whether the method reads a column. `required`: whether no row at all is an error.
    """
    iterator = iter(given)
    first = next(iterator, None)
    if first is None:
        return (), []
    if not is_act(_values(first)):
        if settings is not None:
            raise DataError(f"{name}: feedback is a setting of files whose rows have a 'judgement'; remove it")
        return chain([first], iterator) if iterator is given else given, []
    acts, errors = read_acts(_placed(chain([first], iterator)))
    view = View(**(settings or {}), ties=reads is not None and reads("tie"), notices=notices)
    with errors_at(name):
        made = rows_of(acts, kind, view)
        if required and acts and not made:
            types = ", ".join(sorted({type_of(a.judgement) for a in acts}))
            about = f" about {view.attribute!r}" if view.attribute else ""
            raise DataError(f"no judgement{about} gives {kind}; the judgements in this file are of type {types}")
    return made, errors


def kind_of(row: Mapping[str, Any]) -> str | None:
    """Return the kind that a feedback file is shown as that begins with this row; None for another file."""
    return KIND_OF.get(row["judgement"].get("type"), "prompts") if is_act(row) else None


def columns_of(row: Mapping[str, Any]) -> set[str]:
    """Return the columns of a row of a file; of an act those of the kind that it becomes first."""
    kind = kind_of(row)
    return set(row) if kind is None else set(kinds.kind(kind).marks)


def _values(row: Any) -> Mapping[str, Any]:
    values: Mapping[str, Any] = row if isinstance(row, Mapping) else row[1]
    return values


def _placed(given: Given) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows with their places, without the nulls that columns of Arrow have where a row lacks a key."""
    for number, row in enumerate(given):
        where = f"row {number}" if isinstance(row, Mapping) else row[0]
        yield where, without_nulls(arrow_row(_values(row)))
