"""Ratings: answers with a thumbs up or down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells, prompt_and_answers
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Rating, Row

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Rating:
    """Read an answer and its label."""
    prompt, completion = prompt_and_answers(cells, "completion")
    label = cells.take("label")
    if isinstance(label, str) and label.lower() in ("true", "false", "1", "0"):  # as CSV writes it
        label = label.lower() in ("true", "1")
    if not isinstance(label, bool) and label not in (0, 1):
        raise DataError(f"'label' must be true or false (or 1 and 0), not {label!r}")
    return Rating(identity, prompt, completion, bool(label), cells.rest, where)


def encode(encoder: Encoder, r: Rating, wanted: Mapping[str, str]) -> list[Row]:
    """One row with its label."""
    return [encoder.row(r.id, r, r.completion, **numbers(r.columns, wanted) | {"label": r.label})]


KIND = Kind(
    "ratings",
    Rating,
    read,
    encode,
    "prompt, completion and label",
    frozenset({"label", "kto_tag"}),
    brings=frozenset({"label"}),
    readers="preference/kto",
)
