"""What the chat template reads besides the messages: `tools`, `documents`, `chat_template_kwargs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.data.cells import Cells
from posttrain.data.chat.message import kind_of
from posttrain.data.chat.tool_calls import from_json
from posttrain.errors import DataError

OWN = ("conversation", "messages", "add_generation_prompt", "continue_final_message", "tokenize", "chat_template")


def take(cells: Cells) -> None:
    """Take them from the columns. `tools` and `documents` stay there as well, for rewards that ask for them."""
    tools = [*_tools(cells), *_functions(cells)]
    documents = from_json(cells.rest.get("documents"))
    given = _settings(cells)
    if tools:
        cells.arguments["tools"] = tools
    if isinstance(documents, list) and documents and all(isinstance(d, Mapping) for d in documents):
        cells.arguments["documents"] = documents
    cells.arguments |= given
    cells.chat = cells.chat or (bool(tools or given) and "text" not in cells)


def _tools(cells: Cells) -> list[Mapping[str, Any]]:
    value = from_json(cells.rest.get("tools") or [])
    if not isinstance(value, list | tuple):
        raise DataError(
            f"'tools' must be a list of definitions like {{...}}, or one as JSON text, not {kind_of(value)}"
        )
    return [_definition(from_json(tool), f"tool {i} of 'tools'") for i, tool in enumerate(value, 1)]


def _functions(cells: Cells) -> list[Mapping[str, Any]]:
    """Read OpenAI's older column `functions`, if it holds definitions."""
    value = from_json(cells.rest.get("functions"))
    if not isinstance(value, list | tuple) or not all(isinstance(f, Mapping) and "name" in f for f in value):
        return []
    cells.drop("functions")
    return [{"type": "function", "function": f} for f in value]


def _definition(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f"{name} must be an object that defines a function, not {kind_of(value)}")
    return value


def _settings(cells: Cells) -> dict[str, Any]:
    if "chat_template_kwargs" not in cells:
        return {}
    value = from_json(cells.take("chat_template_kwargs") or {})
    if not isinstance(value, Mapping):
        raise DataError(f"'chat_template_kwargs' must be an object, not {kind_of(value)}")
    if wrong := [key for key in OWN if key in value]:
        raise DataError(f"'chat_template_kwargs' cannot set {wrong[0]!r}: posttrain sets it; remove it")
    return dict(value)
