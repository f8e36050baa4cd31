"""Prompts in plain text for a model with a chat template: right for a base model, seldom for an instruct model."""

from __future__ import annotations

from collections.abc import Iterable

from posttrain.data.notices import Notices
from posttrain.records import Record

TEXT = (
    "the prompt is plain text and does not go through the model's chat template; set chat: true to make messages of "
    "prompts and answers, as an instruct model expects, or chat: false if it is meant"
)


def note_plain_text(records: Iterable[Record], notices: Notices) -> None:
    """Add one notice that counts the prompts in plain text."""
    for r in records:
        if isinstance(r.prompt, str) and r.prompt:
            notices.add(TEXT, r.where)
