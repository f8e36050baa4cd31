"""Rows and prompts that are longer than max_length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from posttrain.errors import DataError
from posttrain.records import Row

Truncate = Literal["error", "left", "right", "drop"]
"""error: a DataError. left: the beginning is cut off. right: the end. drop: the caller leaves the record out."""


class TooLongError(DataError):
    """A row or a prompt does not fit into max_length."""


def cut_row(row: Row, limit: int, truncate: Truncate) -> Row:
    """Return a row of at most `limit` tokens. Raises TooLongError if it may not be cut or nothing trained is left."""
    size = len(row.tokens)
    if size <= limit:
        return row
    if truncate in ("error", "drop"):
        raise TooLongError(
            f"a row of {size} tokens does not fit into max_length {limit}; raise max_length, shorten the example, or "
            "set truncate: left, right or drop for this data"
        )
    kept = slice(size - limit, size) if truncate == "left" else slice(0, limit)
    cut = replace(
        row,
        tokens=row.tokens[kept],
        trained=_without_first(row.trained[kept]),
        written=_without_first(row.written[kept]),
        columns={name: _cut(column, kept) for name, column in row.columns.items()},
    )
    if not any(cut.trained):
        raise TooLongError(
            f"a row of {size} tokens has none to train on once it is cut to max_length {limit} ({truncate}); raise "
            "max_length, or set truncate: drop"
        )
    return cut


def cut_prompt(tokens: tuple[int, ...], limit: int, room: int, truncate: Truncate) -> tuple[int, ...]:
    """Return the end of a prompt, so that it fits into `limit` with `room` tokens of an answer behind it.

    A prompt is never cut at its end, where the answer is called for.
    """
    if len(tokens) + room <= limit:
        return tokens
    if truncate == "left" and room < limit:
        return tokens[len(tokens) + room - limit :]
    answer = f" and an answer of {room}" if room else ""
    raise TooLongError(
        f"a prompt of {len(tokens)} tokens{answer} does not fit into max_length {limit}; raise max_length, shorten the "
        "prompt, lower max_tokens, or set truncate: left or drop for this data"
    )


def _without_first(marks: tuple[bool, ...]) -> tuple[bool, ...]:
    return (False, *marks[1:])


def _cut(column: Any, kept: slice) -> Any:
    return tuple(column[kept]) if isinstance(column, Sequence) and not isinstance(column, str) else column
