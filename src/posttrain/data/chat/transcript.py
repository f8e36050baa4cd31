"""Transcripts in the style of hh-rlhf: a conversation in one text."""

from __future__ import annotations

import re

from posttrain.records import Message

ROLES = {"Human": "user", "Assistant": "assistant"}
TURN = re.compile(r"\n\n(Human|Assistant):")


def transcript(text: str) -> tuple[Message, ...] | None:
    r"""Read `\n\nHuman: ...\n\nAssistant: ...` as messages; None for any other text."""
    if not text.startswith("\n\nHuman:"):
        return None
    parts = TURN.split(text)[1:]
    return tuple(
        {"role": ROLES[speaker], "content": content.strip()}
        for speaker, content in zip(parts[::2], parts[1::2], strict=True)
    )
