"""What is said of a template that writes an answer otherwise than it calls for it, and what may help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from posttrain.data.chat.messages import OPENING
from posttrain.data.chat.prefix import shared
from posttrain.records import Message


def mismatch(
    before: str, after: str, conversation: Sequence[Message], settings: Mapping[str, Any], *, prefilled: bool
) -> str:
    """Return an error's text that shows where the text before the answer and the text with it part, with remedies.

    `conversation` ends with the answer; `prefilled`: the prompt begins it.
    """
    same = shared(before, after)
    start = max(0, same - 10)
    return (
        f"the chat template writes message {len(conversation)} otherwise than it calls for it: "
        f"{before[start : same + 30]!r} before the answer, {after[start : same + 30]!r} with it, so the model "
        f"would not see what it was trained on; {', or '.join(_remedies(conversation, settings, prefilled=prefilled))}"
    )


def _remedies(conversation: Sequence[Message], settings: Mapping[str, Any], *, prefilled: bool) -> Iterator[str]:
    if prefilled:
        yield "write the whole answer, behind a prompt that ends before it"
    elif len(conversation) > 1 and conversation[-2]["role"] == "assistant":
        yield "join answers that follow each other"
    if conversation[0]["role"] in OPENING:
        yield "put the system message into the first question"
    for name in sorted(settings.keys() - {"tools", "documents"}):
        yield f"change {name} of chat_template_kwargs"
    yield (
        "set model.chat_template to one that begins the assistant's turn the same way with and without "
        "add_generation_prompt"
    )
