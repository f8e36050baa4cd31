"""Questions that are trained on and also evaluated: their answers measure memory."""

from __future__ import annotations

from collections.abc import Iterable

from posttrain.records import Record, Turns


def overlap(trained: Iterable[Record], evaluated: Iterable[Record]) -> list[Record]:
    """The evaluated records whose question is also trained on, whatever the case and white space."""
    known = {question(r) for r in trained} - {""}
    return [r for r in evaluated if question(r) in known]


def question(record: Record) -> str:
    """What the user says, without case and white space. A conversation without a prompt is all in its completion."""
    asked = record.prompt or getattr(record, "completion", "")
    return " ".join(_said(asked).casefold().split())


def _said(turns: Turns) -> str:
    if isinstance(turns, str):
        return turns
    return "\n".join(str(m["content"]) for m in turns if m["role"] == "user")
