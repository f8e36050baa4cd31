"""Prompts of a file as the questions of a suite, with the columns that the suite reads."""

from __future__ import annotations

from posttrain.data.dataset import load
from posttrain.evaluation.suite import having
from posttrain.records import Prompt


def questions(data: str, size: int, *columns: str, answer_after: str | None = None) -> list[Prompt]:
    """Return up to `size` prompts of a file, hub id or generator. Raises DataError where one lacks a column."""
    found = load(data, "prompts", size=size, answer_after=answer_after)
    return having((p for p in found if isinstance(p, Prompt)), columns)
