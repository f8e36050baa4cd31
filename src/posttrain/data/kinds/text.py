"""Whole texts and conversations to learn from: of a conversation, what the assistant says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.core.rate import IMITATION
from posttrain.data.cells import Cells, check_answer, note_silent
from posttrain.data.chat.messages import check_order
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Demonstration, Row

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Demonstration:
    """Read a whole text or conversation."""
    if "messages" in cells:
        conversation = cells.messages("messages")
        check_order(conversation)
        check_answer(conversation, "messages")
        note_silent(conversation, cells.note)
        return Demonstration(identity, "", conversation, where, cells.rest)
    text = cells.take("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"'text' must be text that is not empty, not {text!r}")
    if cells.chat:
        raise DataError("chat makes messages of a prompt and its answer, but this row is one text; set chat: false")
    return Demonstration(identity, "", text, where, cells.rest)


def encode(encoder: Encoder, r: Demonstration, wanted: Mapping[str, str]) -> list[Row]:
    """One row; of a conversation whose template rewrites earlier turns, one for each answer."""
    return encoder.rows_of(r.id, r, r.completion, **numbers(r.columns, wanted))


KIND = Kind(
    "text",
    Demonstration,
    read,
    encode,
    "text or messages",
    frozenset({"text"}),
    rate=IMITATION,
    readers="imitation/sft",
)
