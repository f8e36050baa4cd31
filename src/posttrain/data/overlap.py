"""Questions that are trained on and also evaluated: their answers measure memory."""

from __future__ import annotations

from collections.abc import Iterable

from posttrain.records import Record
from posttrain.turns import all_user_messages


def overlap(trained: Iterable[Record], evaluated: Iterable[Record]) -> list[Record]:
    """The evaluated records whose question is also trained on, whatever the case and white space."""
    known = {question(r) for r in trained} - {""}
    return [r for r in evaluated if question(r) in known]


def question(record: Record) -> str:
    """What the user says, without case and white space. A conversation without a prompt is all in its completion."""
    asked = record.prompt or getattr(record, "completion", "")
    return " ".join(all_user_messages(asked).casefold().split())
