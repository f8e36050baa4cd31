"""Qwen3-Coder: `<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>`.

Values stand bare; the schema of the tool says which are texts. The others are JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from posttrain.environments.tools.forms.hermes import OPEN, unread_end
from posttrain.environments.tools.json_text import NotJsonError, behind_space, value_at
from posttrain.environments.tools.schema import name_of, parameters_of
from posttrain.environments.tools.written import Schemas, Written

CALL = re.compile(r"(?:<tool_call>\s*)?<function=([^>\s]*)>")
PARAMETER = re.compile(r"\s*<parameter=([^>\s]*)>")
END = re.compile(r"\s*</function>(?:\s*</tool_call>)?")
NEXT = re.compile(r"\n?</parameter>\s*(?=<parameter=|</function>)")  # a value may itself hold `</parameter>`


def read(text: str, start: int, schemas: Schemas) -> list[Written]:
    found: list[Written] = []
    known = {name_of(schema): parameters_of(schema).get("properties", {}) for schema in schemas}
    while start < len(text):
        call, opened = CALL.search(text, start), text.find(OPEN, start)
        if opened >= 0 and (call is None or opened < call.start()):
            found.append(Written(opened, unread_end(text, opened), fault="<function=NAME> does not follow <tool_call>"))
        elif call:
            found.append(_call(text, call, known.get(call[1], {})))
        else:
            break
        start = found[-1].end
    return found


def _call(text: str, call: re.Match[str], properties: Mapping[str, Any]) -> Written:
    arguments: dict[str, Any] = {}
    at = call.end()

    def fault(says: str) -> Written:
        return Written(call.start(), max(unread_end(text, call.end()), at), fault=says)

    while parameter := PARAMETER.match(text, at):
        key, close = parameter[1], NEXT.search(text, parameter.end())
        if close is None:
            return fault(f"the parameter {key!r} has no closing </parameter>")
        if key in arguments:
            return fault(f"the parameter {key!r} is there twice")
        value = text[parameter.end() : close.start()].removeprefix("\n")
        arguments[key] = _typed(value, properties.get(key, {"type": "string"}))
        at = close.end()
    end = END.match(text, at)
    if end is None or not call[1]:
        return fault("</function> is missing" if call[1] else "the function has no name")
    return Written(call.start(), end.end(), call[1], arguments)


def _typed(value: str, schema: Mapping[str, Any]) -> Any:
    """Return a bare value as its schema has it; a text where it is no JSON, which the check of the arguments names."""
    kinds = schema.get("type", "string")
    if kinds == "string":
        return value
    try:
        read, end = value_at(value, 0)
    except NotJsonError:
        return value
    return read if behind_space(value, end) == len(value) else value
