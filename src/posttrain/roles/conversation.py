"""Conversations as text roles read them: as messages, cut before the answer, as one text, and their seeds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from posttrain.errors import DataError
from posttrain.records import Message, Turns
from posttrain.seeds import seed_for
from posttrain.turns import content


def as_messages(turns: Turns) -> tuple[Message, ...]:
    """Return the messages of a conversation. Plain text is one message of the user."""
    return ({"role": "user", "content": turns},) if isinstance(turns, str) else tuple(turns)


def split_answer(turns: Turns) -> tuple[tuple[Message, ...], str]:
    """Split off the assistant's last message. Raises DataError where a conversation does not end with one."""
    *before, last = as_messages(turns)
    if last["role"] != "assistant" or not before:
        raise DataError("a conversation that is scored consists of a prompt and, at its end, the assistant's answer")
    return tuple(before), content(last)


def as_text(messages: Sequence[Message]) -> str:
    """Return a single user message as it is, and a longer conversation as `role: text` paragraphs."""
    if len(messages) == 1 and messages[0]["role"] == "user":
        return content(messages[0])
    return "\n\n".join(f"{m['role']}: {content(m)}" for m in messages)


def reply_seeds(conversations: Sequence[Turns], samples: int, seed: int) -> list[list[int]]:
    """Return a 31-bit seed for each sample of each conversation. It does not depend on the other conversations.

    The k-th of several equal conversations continues the numbering of the samples of those before it.
    """
    seen: Counter[str] = Counter()
    seeds = []
    for turns in conversations:
        text = json.dumps(as_messages(turns), sort_keys=True, default=dict)
        seeds.append([seed_for("reply", seed, text, seen[text] + k) % 2**31 for k in range(samples)])
        seen[text] += samples
    return seeds
