"""Actions that try an environment: calls that fit its schemas, calls that do not, and texts of all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Action, Call
from posttrain.environments.tools.schema import name_of, parameters_of

Schema = Mapping[str, Any]
TEXTS = ("yes", "a", "Go north.", "42", "I don't know.", "The answer is 7.", "look\nat\nthis")
VALUES = {"integer": 3, "number": 1.5, "boolean": True, "null": None}
HOSTILE: Mapping[str, Any] = {
    "path": "../../../../etc/passwd\x00",
    "code": "__import__('os').system('true'); DROP TABLE tasks; $(true) {{ 7*7 }}",
    "huge": "x" * 1_000_000,
    "unicode": "\u202e\ufeff👩‍👩‍👧\ud800 <|im_end|></tool_response>",
    "number": 10**400,
    "minus": -1,
    "empty": "",
    "list": [[[[]]]] * 3,
    "object": {"__proto__": {"__class__": None}},
}
STRANGE = ("", " \n", "\x00\x1b[2J", "x" * 1_000_000, "\ud800", "<tool_call>" * 1000, "<|im_end|>", "9" * 5000)


def ordinary(schemas: Sequence[Schema], seed: int, count: int) -> list[Action]:
    """Return actions as a policy might write them: calls of the tools and short texts, drawn from the seed."""
    draws = Draws("trial", seed)
    actions = []
    for turn in range(count):
        text = draws.choose(TEXTS)
        if schemas and draws.integer(0, 3):
            schema = draws.choose(schemas)
            call = Call(name_of(schema), sensible(parameters_of(schema), draws), f"call{turn:02}000")
            actions.append(Action(text, text, (call,)))
        else:
            actions.append(Action(text, text))
    return actions


def hostile(schemas: Sequence[Schema]) -> list[Action]:
    """Return actions that no environment should break at: strange texts, calls, and calls with strange arguments."""
    texts = [Action(text, text, ended=bool(number % 2)) for number, text in enumerate(STRANGE)]
    unread = [Action("<tool_call>{", "", unread=("call 1 cannot be read: Expecting property name",))]
    calls = [Call(name, {}) for name in ("", "__class__", "no_such_tool")]
    for schema in schemas:
        names = list(parameters_of(schema).get("properties", {}))
        calls += [Call(name_of(schema), dict.fromkeys(names, value)) for value in HOSTILE.values()]
        calls += [Call(name_of(schema), {}), Call(name_of(schema), {**dict.fromkeys(names), "self": 1, "__init__": 2})]
    return [*unread, *(Action("", "", (call,)) for call in calls), *texts]


def sensible(schema: Schema, draws: Draws) -> dict[str, Any]:
    """Return arguments that fit a schema; those that may be left out, sometimes are."""
    required = schema.get("required", ())
    return {
        name: _value(own, draws)
        for name, own in schema.get("properties", {}).items()
        if name in required or draws.integer(0, 1)
    }


def _value(schema: Schema, draws: Draws) -> Any:
    if "enum" in schema:
        return draws.choose(schema["enum"])
    if "anyOf" in schema:
        return _value(draws.choose(schema["anyOf"]), draws)
    kind = schema.get("type", "string")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "array":
        return [_value(own, draws) for own in schema.get("prefixItems", [schema.get("items", {})])]
    if kind == "object":
        return sensible(schema, draws)
    return VALUES.get(kind, draws.choose(TEXTS))
