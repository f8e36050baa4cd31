"""Alpaca's columns: instruction, input, output. Dolly calls the second `context`; `output` may hold a pair."""

from __future__ import annotations

from posttrain.data.cells import Cells

INPUTS = ("input", "context")


def instructions(cells: Cells) -> None:
    """Make a conversation of instruction and input, and of the output the answer where the kind has one."""
    if "instruction" not in cells or "prompt" in cells or "messages" in cells:
        return
    first = cells.take("instruction")
    if not isinstance(first, str):
        cells.put("prompt", first)
        return
    read = [name for name in INPUTS if name in cells and isinstance(cells.rest[name] or "", str)]
    asked = [first, *(cells.take(name) or "" for name in read)]
    cells.put("prompt", [{"role": "user", "content": "\n\n".join(text for text in asked if text.strip())}])
    output = cells.rest.get("output")
    if cells.kind == "pairs" and "chosen" not in cells and isinstance(output, list | tuple) and len(output) == 2:
        cells.put("chosen", output[0])
        cells.put("rejected", output[1])
        cells.drop("output")
    if cells.kind in ("demonstrations", "ratings") and "completion" not in cells and "output" in cells:
        cells.put("completion", cells.take("output"))
