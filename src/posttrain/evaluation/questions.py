"""Prompts of a file as the questions of a suite, with the columns that the suite reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from posttrain.data.dataset import load
from posttrain.errors import DataError
from posttrain.records import Demonstration, Pair, Prompt

R = TypeVar("R", Prompt, Demonstration, Pair)


def questions(data: str, size: int, *columns: str, answer_after: str | None = None) -> list[Prompt]:
    """Return up to `size` prompts of a file, hub id or generator. Raises DataError where one lacks a column."""
    found = load(data, "prompts", size=size, answer_after=answer_after)
    return having((p for p in found if isinstance(p, Prompt)), columns)


def having(records: Iterable[R], columns: Sequence[str]) -> list[R]:
    """Return all records. Raises DataError for the first that lacks a column, before a model is asked anything."""
    found = list(records)
    for r in found:
        if lacking := next((c for c in columns if r.columns.get(c) is None), None):
            known = ", ".join(n for n, x in r.columns.items() if x is not None) or "none"
            raise DataError(f"{r.where}: the suite reads the column {lacking!r}, which is missing; columns {known}")
    return found
