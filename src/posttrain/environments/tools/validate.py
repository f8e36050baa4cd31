"""Arguments of a call against the schema of its tool; what is wrong is said for the policy to read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
DEEPEST = 100  # objects within objects
SAYS = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


class ArgumentError(ValueError):
    """An argument is not what the schema asks for; the message says which, and what it should be."""


def checked(arguments: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the arguments as the tool takes them: 3.0 as 3 where an integer is asked for. Raises ArgumentError."""
    known = schema.get("properties", {})
    other = [name for name in arguments if name not in known]
    if other and not schema.get("additionalProperties", False):
        listed = f"the arguments are {', '.join(known)}" if known else "it takes none"
        raise ArgumentError(f"there is no argument {other[0]!r:.80}; {listed}")
    if missing := [name for name in schema.get("required", ()) if name not in arguments]:
        raise ArgumentError(f"the argument {missing[0]!r} is missing")
    return {name: _value(value, known.get(name, {}), repr(name)[:80], 1) for name, value in arguments.items()}


def _value(value: Any, schema: Schema, name: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise ArgumentError(f"{name} is nested too deeply")
    if value is None and schema.get("nullable"):
        return None
    if "anyOf" in schema:
        return _any_of(value, schema["anyOf"], name, depth)
    if "type" not in schema:
        inner = _fields if isinstance(value, Mapping) else _items if isinstance(value, list) else None
        return inner(value, {}, name, depth) if inner else value
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kind = next((kind for kind in kinds if _is(value, kind)), None)
    if kind is None:
        raise ArgumentError(f"{name} must be {' or '.join(SAYS.get(k, k) for k in kinds)}, not {_kind(value)}")
    if kind == "integer":
        value = int(value)
    elif kind == "array":
        value = _items(value, schema, name, depth)
    elif kind == "object":
        value = _fields(value, schema, name, depth)
    if "enum" in schema and not any(value == each and type(value) is type(each) for each in schema["enum"]):
        raise ArgumentError(f"{name} must be one of {', '.join(map(repr, schema['enum']))}")
    return value


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) or value is None:
        return kind == ("null" if value is None else "boolean")
    if isinstance(value, float):
        return math.isfinite(value) and (kind == "number" or (kind == "integer" and value.is_integer()))
    if isinstance(value, int):
        return kind in ("integer", "number")
    return kind == next(
        (k for k, t in (("string", str), ("object", Mapping), ("array", Sequence)) if isinstance(value, t)), ""
    )


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", type(None): "null"}
    return names.get(type(value), "an object" if isinstance(value, Mapping) else "a list")


def _any_of(value: Any, schemas: Sequence[Schema], name: str, depth: int) -> Any:
    faults = []
    for schema in schemas:
        try:
            return _value(value, schema, name, depth + 1)
        except ArgumentError as error:
            faults.append(str(error))
    raise ArgumentError(", or ".join(dict.fromkeys(faults)))


def _items(value: Sequence[Any], schema: Schema, name: str, depth: int) -> list[Any]:
    if (places := schema.get("prefixItems")) is not None:
        if len(value) != len(places):
            raise ArgumentError(f"{name} must have {len(places)} items, not {len(value)}")
    else:
        places = [schema.get("items", {})] * len(value)
    return [
        _value(v, s, f"item {i} of {name}", depth + 1) for i, (v, s) in enumerate(zip(value, places, strict=True), 1)
    ]


def _fields(value: Mapping[str, Any], schema: Schema, name: str, depth: int) -> dict[str, Any]:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    if missing := [key for key in schema.get("required", ()) if key not in value]:
        raise ArgumentError(f"{name} lacks {missing[0]!r}")
    if rest is False and (other := [key for key in value if key not in known]):
        raise ArgumentError(f"{name} has no {other[0]!r:.80}")
    other_schema = rest if isinstance(rest, Mapping) else {}
    return {k: _value(v, known.get(k, other_schema), f"{k!r:.80} of {name}", depth + 1) for k, v in value.items()}
