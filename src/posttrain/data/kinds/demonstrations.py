"""Demonstrations: prompts, and what should be answered."""

from __future__ import annotations

from posttrain.core.kinds import Kind
from posttrain.core.rate import IMITATION
from posttrain.data.cells import Cells, prompt_and_answers
from posttrain.data.kinds import text
from posttrain.records import Demonstration


def read(cells: Cells, identity: int, where: str) -> Demonstration:
    """Read a prompt and its answer, or a whole text or conversation."""
    if "completion" not in cells and ("messages" in cells or "text" in cells):
        return text.read(cells, identity, where)
    prompt, completion = prompt_and_answers(cells, "completion")
    return Demonstration(identity, prompt, completion, where, cells.rest)


KIND = Kind(
    "demonstrations",
    Demonstration,
    read,
    text.encode,
    "prompt and completion, or messages, or text",
    frozenset({"completion", "messages", "conversations", "output", "response"}),
    rate=IMITATION,
    readers="imitation/sft and other methods of imitation",
)
