"""Questions in both the training and the evaluation data: answers to them measure memorisation."""

from __future__ import annotations

from collections.abc import Iterable

from posttrain.records import Record
from posttrain.turns import all_user_messages


def overlap(trained: Iterable[Record], evaluated: Iterable[Record]) -> list[Record]:
    """Return the evaluated records whose question is also trained on, ignoring case and white space."""
    known = {question(r) for r in trained} - {""}
    return [r for r in evaluated if question(r) in known]


def question(record: Record) -> str:
    """What the user says, in lower case with single spaces. Without a prompt the completion is a whole conversation."""
    asked = record.prompt or getattr(record, "completion", "")
    return " ".join(all_user_messages(asked).casefold().split())
