"""The JSON schema of a tool, from its signature and docstring, in the form that chat templates read."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from posttrain.environments.environment import Tool
from posttrain.errors import ConfigError

Schema = dict[str, Any]
SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
SECTION = re.compile(
    r"^[ \t]*(Args|Arguments|Parameters|Settings|Returns|Raises|Yields|Examples?):[ \t]*$", re.MULTILINE
)
PARAMETER = re.compile(r"^([ \t]*)(\w+)[ \t]*(?:\([^)\n]*\))?:[ \t]*", re.MULTILINE)


def schema_of(tool: Tool) -> Schema:
    """Return {"type": "function", "function": {name, description, parameters}}; a schema is returned as it is.

    Parameters are str, int, float, bool, list, dict, tuple, Literal, Enum, TypedDict, Optional and unions of these. The
    docstring says what the tool does, and under `Args:` what its parameters mean. Raises ConfigError that names file,
    function and parameter.
    """
    if isinstance(tool, Mapping):
        return _whole(tool)
    name = getattr(tool, "__name__", type(tool).__name__)
    if not NAME.fullmatch(name):
        raise ConfigError(f"{_place(tool)} is called {name!r}; give the tool a name of letters, digits and underscores")
    says, described = _documented(tool)
    if not says:
        raise ConfigError(f"{_place(tool)} has no docstring; write what the tool does, for the policy to read")
    properties: dict[str, Schema] = {}
    required = []
    for parameter, annotation in _parameters(tool).items():
        own = _type(annotation.annotation, f"{_place(tool)}: parameter {parameter!r}")
        text = described.pop(parameter, "")
        properties[parameter] = own | ({"description": text} if text else {})
        if annotation.default is inspect.Parameter.empty:
            required.append(parameter)
    if described:
        raise ConfigError(f"{_place(tool)} describes {', '.join(described)}, which are no parameters of it")
    parameters: Schema = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    return {"type": "function", "function": {"name": name, "description": says, "parameters": parameters}}


def schemas_of(tools: Sequence[Tool]) -> list[Schema]:
    """Return the schema of each tool. Raises ConfigError where two have one name."""
    schemas = [schema_of(tool) for tool in tools]
    names = [name_of(schema) for schema in schemas]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"two tools are called {sorted(twice)[0]!r}; rename one of them")
    return schemas


def name_of(schema: Mapping[str, Any]) -> str:
    """Return the name of the tool that a schema describes."""
    return str(schema["function"]["name"])


def parameters_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a tool's arguments."""
    parameters: Mapping[str, Any] = schema["function"].get("parameters") or {"type": "object", "properties": {}}
    return parameters


def _whole(schema: Mapping[str, Any]) -> Schema:
    """Check a schema that somebody wrote, which may be the inner part alone."""
    inner = schema.get("function", schema)
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise ConfigError(f'the schema of a tool has no name: {str(schema)[:80]}; write {{"name", "parameters"}}')
    if not isinstance(inner.get("parameters", {}), Mapping):
        raise ConfigError(f"the schema of the tool {inner['name']!r} has parameters that are no JSON schema")
    return {"type": "function", "function": dict(inner)}


def _parameters(tool: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters with their types resolved. ConfigError for those that cannot be passed by name."""
    try:
        hints = get_type_hints(tool)
    except (NameError, TypeError) as error:
        raise ConfigError(f"{_place(tool)}: its types cannot be read ({error}); import what they name") from error
    found = {}
    for name, parameter in inspect.signature(tool).parameters.items():
        where = f"{_place(tool)}: parameter {name!r}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigError(f"{where} cannot be passed by its name; write each parameter with a name and a type")
        if name not in hints:
            raise ConfigError(f"{where} has no type; write one, such as {name}: str")
        found[name] = parameter.replace(annotation=hints[name])
    return found


def _type(hint: Any, where: str) -> Schema:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if isinstance(hint, type) and hint in SCALARS:
        return {"type": SCALARS[hint]}
    if hint in (list, tuple, dict):
        return {"type": "object" if hint is dict else "array"}
    if origin is Literal:
        return _values(inner, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _values([member.value for member in hint], where)
    if is_typeddict(hint):
        fields = {name: _type(own, f"{where}: {name!r}") for name, own in get_type_hints(hint).items()}
        required = [name for name in fields if name in hint.__required_keys__]
        return {"type": "object", "properties": fields, "additionalProperties": False, "required": required}
    if origin in (Union, types.UnionType):
        return _union(inner, where)
    if origin is list:
        return {"type": "array", "items": _type(inner[0], where)}
    if origin is tuple and ... not in inner:
        return {"type": "array", "prefixItems": [_type(own, where) for own in inner]}
    if origin is tuple:
        return {"type": "array", "items": _type(inner[0], where)}
    if origin is dict and inner[0] is str:
        return {"type": "object", "additionalProperties": _type(inner[1], where)}
    raise ConfigError(
        f"{where} has the type {getattr(hint, '__name__', hint)}, which no JSON describes; use str, int, float, bool, "
        "list, dict[str, ...], tuple, Literal, Enum, TypedDict or a union of these"
    )


def _values(values: Sequence[Any], where: str) -> Schema:
    if other := [value for value in values if type(value) not in SCALARS]:
        raise ConfigError(f"{where} allows the value {other[0]!r}; use texts, numbers, true, false or None")
    kinds = list(dict.fromkeys(SCALARS[type(value)] for value in values))
    return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": list(values)}


def _union(members: Sequence[Any], where: str) -> Schema:
    """A list of type names where that says all; None is said as `nullable`, as transformers does."""
    kinds = [_type(member, where) for member in members if member is not type(None)]
    if len(kinds) == 1:
        schema = kinds[0]
    elif all(kind.keys() == {"type"} and isinstance(kind["type"], str) for kind in kinds):
        names = sorted({kind["type"] for kind in kinds})
        schema = {"type": names[0] if len(names) == 1 else names}
    else:
        schema = {"anyOf": kinds}
    return schema | ({"nullable": True} if type(None) in members else {})


def _documented(tool: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what the docstring says of the tool, and of each parameter."""
    text = inspect.cleandoc(tool.__doc__ or "")
    places = [*SECTION.finditer(text)]
    says = (text[: places[0].start()] if places else text).strip()
    described: dict[str, str] = {}
    for number, place in enumerate(places):
        if place[1] in ("Args", "Arguments", "Parameters", "Settings"):
            end = places[number + 1].start() if number + 1 < len(places) else len(text)
            described |= _described(text[place.end() : end])
    return says, described


def _described(section: str) -> dict[str, str]:
    """Return the text of each parameter; lines that are indented deeper than its name belong to it."""
    starts = [*PARAMETER.finditer(section)]
    starts = [start for start in starts if len(start[1]) <= len(starts[0][1])]
    ends = [start.start() for start in starts[1:]] + [len(section)]
    return {s[2]: re.sub(r"\s*\n\s*", " ", section[s.end() : e].strip()) for s, e in zip(starts, ends, strict=True)}


def _place(tool: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(getattr(tool, "__func__", tool)), "__code__", None)
    where = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
    return f"{where}the tool {getattr(tool, '__name__', type(tool).__name__)}"
