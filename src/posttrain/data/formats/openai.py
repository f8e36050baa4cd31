"""OpenAI's format of preferences: {"input": {"messages", "tools"}, "preferred_output", "non_preferred_output"}."""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.data.cells import Cells
from posttrain.errors import DataError

NAMES = {"preferred_output": "chosen", "non_preferred_output": "rejected"}


def preferences(cells: Cells) -> None:
    """Read `input` as prompt and tools, and the two outputs as chosen and rejected."""
    if "preferred_output" not in cells or "input" not in cells:
        return
    given = cells.take("input")
    if not isinstance(given, Mapping) or "messages" not in given:
        raise DataError("'input' beside 'preferred_output' must be an object with \"messages\"")
    cells.put("prompt", given["messages"])
    for name in ("tools", "functions"):
        if given.get(name):
            cells.put(name, given[name])
    for theirs, ours in NAMES.items():
        cells.put(ours, cells.take(theirs))
