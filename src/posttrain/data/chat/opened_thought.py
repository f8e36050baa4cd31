"""Templates that open a thought where they call for an answer (`<think>`), and leave thoughts out of the history.

The model sees the opened thought and continues it, so the answer is trained behind it: the rest of the thought, what
follows it, and the token that ends the turn.
"""

from __future__ import annotations

import re

from posttrain.data.chat.left_out import REASONING
from posttrain.errors import DataError
from posttrain.records import Message

OPENING = re.compile(r"<(\w+)>(\s*)$")


def behind_opening(asked: str, answered: str, message: Message) -> str | None:
    """Return `asked`, the answer behind the thought that it opens, and what ends the turn in `answered`.

    None if `asked` ends otherwise. Raises DataError for an answer without a thought.
    """
    opened = OPENING.search(asked)
    if opened is None or not answered.startswith(asked[: opened.start()].rstrip()):
        return None
    opening, closing = f"<{opened[1]}>", f"</{opened[1]}>"
    content = str(message.get("content") or "")
    thought = next((str(message[key]) for key in REASONING if message.get(key)), None)
    if thought is not None and closing not in content:
        content = f"{thought.strip()}\n{closing}\n\n{content.lstrip()}"
    if closing not in content:
        raise DataError(
            f"the chat template opens a thought with {opening} where the answer begins, and this answer does not close "
            f"it; write {opening}...{closing} before the answer, or set model.chat_template to one that opens none"
        )
    if content.lstrip().startswith(opening):
        content = content.lstrip().removeprefix(opening).removeprefix(opened[2])
    spoken = content.rpartition(closing)[2].strip()
    answer = answered[len(asked[: opened.start()].rstrip()) :].lstrip()
    answer = answer.removeprefix(closing).lstrip()  # some histories keep the end of the thought
    return asked + content.rstrip() + answer.removeprefix(spoken) if answer.startswith(spoken) else None
