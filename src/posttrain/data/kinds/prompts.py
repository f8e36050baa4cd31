"""Prompts to sample answers for. Their other columns go to the reward functions by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells
from posttrain.data.chat.messages import check_order, same_form
from posttrain.data.chat.reading import question
from posttrain.errors import DataError
from posttrain.records import Prompt, Row

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Prompt:
    """Read a prompt; of a conversation, everything before the answer."""
    name = "messages" if "messages" in cells and "prompt" not in cells else "prompt"
    said = question(cells.messages(name), name) if name == "messages" else cells.question(name)
    (asked,) = same_form(said, chat=cells.chat)
    if not isinstance(asked, str):
        check_order(asked)
    return Prompt(identity, asked, cells.rest, where)


def encode(encoder: Encoder, r: Prompt, wanted: Mapping[str, str]) -> list[Row]:  # noqa: ARG001
    """A prompt has no rows of its own; episodes become rows in data/collate.py."""
    raise DataError("a Prompt cannot be encoded as prompts: its answers are sampled")


KIND = Kind(
    "prompts",
    Prompt,
    read,
    encode,
    "prompt or messages",
    frozenset({"prompt", "instruction"}),
    brings=frozenset({"group", "author", "ended", "temperature", "max_tokens", "rollout_logp"}),
    sampled=True,
    readers="online/grpo and other online methods",
)
