"""How a model uses tools: read off what its chat template makes of a definition, a call and a result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posttrain.data.chat.left_out import Written
from posttrain.data.chat.opened_thought import OPENING
from posttrain.data.chat.template import ChatTemplate
from posttrain.data.chat.turn_marks import CALL, QUESTION, RESULT
from posttrain.environments.tools.parse import FORMS, parse
from posttrain.errors import DataError
from posttrain.records import Message

DEFAULT = "hermes"  # of templates without calls: the form that most models have seen
NUMBER = {"type": "integer"}
ADD = {
    "name": "add",
    "description": "Add.",
    "parameters": {"type": "object", "properties": dict.fromkeys("ab", NUMBER)},
}
SCHEMA = {"type": "function", "function": ADD}
USER: Message = {"role": "user", "content": QUESTION}
CALLED: Message = {"role": "assistant", "content": "", "tool_calls": [CALL]}
FUNCTION: Any = CALL["function"]
AS_TEXT = {**CALL, "function": {**FUNCTION, "arguments": json.dumps(FUNCTION["arguments"])}}
WAYS: tuple[Message, ...] = (
    CALLED,
    {**CALLED, "tool_calls": [AS_TEXT]},
    {**CALLED, "content": None, "tool_calls": [AS_TEXT]},
)
SAID: Message = {"role": "assistant", "content": "add"}
ANSWERED: Message = {"role": "tool", "name": "add", "content": RESULT, "tool_call_id": CALL["id"]}


@dataclass(frozen=True)
class Writing:
    """How turns are written.

    `form` of calls. `thinking`: the prompt opens the thought that a turn begins with. `tools`, `results`, `system`:
    whether the template writes the definitions of tools, what they answer, and system messages.
    """

    form: str = DEFAULT
    thinking: bool = False
    tools: bool = True
    results: bool = True
    system: bool = True


def writing_of(template: ChatTemplate) -> Writing:
    """Render a tool, a call, a result and a system message with the template, and see what it makes of each."""
    asked = template.question([USER])
    said = [_rendered(template, [USER, called]).removeprefix(asked) for called in WAYS]
    return Writing(
        form=next((form for text in said for form in FORMS if _reads(text, form)), DEFAULT),
        thinking=OPENING.search(asked) is not None,
        tools=not Written(_rendered(template, [USER], {"tools": [SCHEMA]})).missing_tool([SCHEMA]),
        results=any(RESULT in _rendered(template, [USER, turn, ANSWERED]) for turn in (CALLED, SAID)),
        system=RESULT in _rendered(template, [{"role": "system", "content": RESULT}, USER]),
    )


def _rendered(template: ChatTemplate, messages: list[Message], arguments: Mapping[str, Any] | None = None) -> str:
    """Return a conversation as text; nothing where the template refuses it."""
    try:
        return template.whole(messages, arguments or {})
    except DataError:
        return ""


def _reads(said: str, form: str) -> bool:
    action = parse(said, form, [SCHEMA])
    return [{"name": c.name, "arguments": c.arguments} for c in action.calls] == [CALL["function"]]
