"""ShareGPT's `conversations`, and conversations that hold prompt and answer in one list."""

from __future__ import annotations

from posttrain.data.cells import Cells
from posttrain.data.chat.reading import messages

NAMES = ("conversations", "conversation")
ONE_ANSWER = {"ratings": "completion"}  # kinds whose answer may be the last message of the conversation
SEVERAL = {"pairs": "chosen", "rankings": "completions"}  # kinds whose answers stand beside it


def conversations(cells: Cells) -> None:
    """Call the conversation `messages`."""
    for name in NAMES:
        if name in cells and "messages" not in cells:
            cells.put("messages", cells.take(name))


def answers_inside(cells: Cells) -> None:
    """Make a prompt, and of a rated conversation the answer, from `messages` for kinds that have no conversations."""
    if "messages" not in cells or "prompt" in cells:
        return
    answer = ONE_ANSWER.get(cells.kind) or SEVERAL.get(cells.kind)
    if answer is None:
        return
    whole = messages(cells.rest["messages"], "messages", cells.note)
    inside = whole[-1]["role"] == "assistant"
    # ms-swift writes the chosen answer into the conversation, and the rejected one beside it.
    if inside and answer not in cells and (cells.kind in ONE_ANSWER or "rejected" in cells):
        cells.take("messages")
        cells.put("prompt", whole[:-1])
        cells.put(answer, whole[-1:])
    elif answer in cells and not inside:
        cells.take("messages")
        cells.put("prompt", whole)
