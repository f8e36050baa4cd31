"""The text of a converted run file: sections in their order, a comment for each key, remarks at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import dump
from posttrain.convert.draft import Draft

WIDTH = 116
REMARKS = {
    "missing": "To be filled in",
    "differs": "Where the same setting means something else",
    "without": "Without counterpart",
    "unknown": "Not known to the converter: check the spelling, or whether a newer version has added it",
}


def text_of(draft: Draft, peer: str, source: str) -> str:
    """Return the run file as YAML text with comments."""
    lines = [f"# Converted from {peer} ({source})."]
    tree = draft.nested()
    for name in [n for n in RunFile.model_fields if n in tree]:
        lines += _lines(name, tree[name], name, draft.origins, 0)
    for attribute, title in REMARKS.items():
        remarks = getattr(draft, attribute)
        if remarks:
            lines += ["", f"# {title}:", *(line for remark in remarks for line in _comment(remark))]
    if draft.idle:
        lines += ["", "# No effect on what is learned here:", *_comment(", ".join(sorted(draft.idle)))]
    return "\n".join(lines) + "\n"


def _lines(name: str, value: Any, path: str, origins: Mapping[str, str], depth: int) -> list[str]:
    indent = "  " * depth
    if isinstance(value, Mapping) and path not in origins:
        lines = [f"{indent}{name}:"]
        for key, inner in value.items():
            lines += _lines(key, inner, f"{path}.{key}", origins, depth + 1)
        return lines
    return [f"{indent}{name}: {_flow(value)}  # {origins[path]}"]


def _flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    text = dump({"x": value}).removeprefix("x:").strip()
    return text if "\n" not in text else json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> list[str]:
    """A remark as comment lines of at most WIDTH characters."""
    lines, line = [], "# -"
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = "#  "
        line += f" {word}"
    return [*lines, line]
