"""Types and defaults of the run file in words: `whole number > 0`, `mapping role -> model`, `[0.9, 0.999]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from posttrain.config.outline import section
from posttrain.config.section import Pathed, Section
from posttrain.config.types import Label
from posttrain.config.yaml_ import dump

REQUIRED = "required"
_NAMES = {str: "text", Path: "path", int: "whole number", float: "number", bool: "true or false", NoneType: "null"}


def type_text(field: FieldInfo) -> str:
    """Return the type of a field in words. A section is the ways it may be written: `path or mapping`."""
    choices = (field.annotation, *get_args(field.annotation))
    owner = next((s for s in map(section, choices) if s), None)
    if owner is None or get_origin(field.annotation) in (dict, tuple):
        return _either(_choices(field.annotation, field.metadata))
    forms = ["path", "mapping"] if issubclass(owner, Pathed) else ["mapping"]
    return _either([*forms, "null"] if NoneType in choices else forms)


def default_text(field: FieldInfo) -> str:
    """Return the default of a field as YAML, `required`, or nothing for a section whose keys have defaults."""
    if field.is_required():
        return REQUIRED
    value = field.get_default(call_default_factory=True)
    return "" if isinstance(value, Section) else _yaml(value)


def _yaml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_yaml, value))}]"
    return dump({"x": str(value) if isinstance(value, Path) else value}).removeprefix("x:").strip()


def _choices(annotation: Any, bounds: Sequence[Any] = ()) -> list[str]:
    """The alternatives of a type in words. `bounds` are what pydantic checks besides, such as `gt=0`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        label = next((m.text for m in inner[1:] if isinstance(m, Label)), None)
        return [label] if label else _choices(inner[0], [*_unpacked(inner[1:]), *bounds])
    if origin in (Union, UnionType):
        return [text for choice in inner for text in _choices(choice, bounds)]
    if origin is Literal:
        return [str(choice) for choice in inner]
    if origin is dict:
        key, value = (_either(_choices(kind)) for kind in inner)
        return [f"mapping {key} -> {value}"]
    if origin is tuple:
        kind = _either(_choices(inner[0]))
        return [f"list of {kind}s" if inner[-1] is Ellipsis else f"list of {len(inner)}, each a {kind}"]
    if owner := section(annotation):
        return [owner.noun]
    return [_NAMES[annotation] + _interval(bounds) * (annotation in (int, float))]


def _unpacked(metadata: Sequence[Any]) -> Iterator[Any]:
    """Metadata, with that inside `Field(...)` taken out."""
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else [item]


def _interval(bounds: Sequence[Any]) -> str:
    """Bounds as ` > 0`, ` >= 0`, or as an interval: ` in [0, 1)`."""
    found = {name: getattr(b, name) for b in bounds for name in ("gt", "ge", "lt", "le") if hasattr(b, name)}
    low, high = found.get("gt", found.get("ge")), found.get("lt", found.get("le"))
    if low is None:
        return ""
    if high is None:
        return f" {'>' if 'gt' in found else '>='} {low}"
    return f" in {'(' if 'gt' in found else '['}{low}, {high}{')' if 'lt' in found else ']'}"


def _either(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices[0]
