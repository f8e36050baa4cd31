"""Columns of which each row uses one, such as `messages` or `text`: in files that mix formats the others are null."""

from __future__ import annotations

from posttrain.data.cells import Cells

WHOLE = ("messages", "conversations", "conversation", "text")  # a whole text or conversation
ASKED = ("prompt", "instruction")


def drop_nulls(cells: Cells) -> None:
    """Remove the columns that are null where the row has another one in their place."""
    used = [name for name in (*WHOLE, *ASKED) if cells.rest.get(name) is not None]
    if used:
        answer = ("completion",) if used[0] in WHOLE else ()
        cells.drop(*(name for name in (*WHOLE, *ASKED, *answer) if cells.rest.get(name) is None))
