"""The shape of the run file: the type and field behind a dotted key, and all keys in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from posttrain.config.code import Code
from posttrain.config.schema import MAIN, Data, RunFile
from posttrain.config.section import Section

Keys = tuple[str, ...]
ENTRY = "N"  # stands for the number of an entry of a list,
ROLE = "ROLE"  # and this for the name of an entry of `models`


def section(kind: Any) -> type[Section] | None:
    """Return the type itself if it is a section of the run file, else None."""
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def child(kind: Any, key: str) -> Any:
    """Return the type of `key` inside a type, without its null; None if the schema does not know the key."""
    if owner := section(kind):
        field = owner.model_fields.get(key)
        return _without_null(field.annotation) if field else None
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    return None


def kind_at(keys: Sequence[str]) -> Any:
    """Return the type that a dotted key leads to, None if the schema does not know it."""
    kind: Any = RunFile
    for key in keys:
        kind = child(kind, key)
    return kind


def field_at(keys: Sequence[str]) -> FieldInfo | None:
    """Return the field that a dotted key names, None if there is none."""
    owner = section(kind_at(keys[:-1])) if keys else None
    return owner.model_fields.get(keys[-1]) if owner else None


def fields() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key of a run file with its field: type, default and description of "train.steps".

    The entries of a list are number N: `rewards.N.weight`; those of `models` are called ROLE.
    """
    yield from _fields(RunFile, ())


def canonical(keys: Keys) -> Keys:
    """Return the long form of a key of the main stream: `data.main.size` for `data.size`."""
    short = len(keys) > 1 and keys[0] == "data" and keys[1] in Data.model_fields
    return ("data", MAIN, *keys[1:]) if short else keys


def shown(location: Sequence[int | str]) -> str:
    """Return the place of a problem as the user writes it: no main stream, no `settings`, no tags of unions."""
    parts: list[str] = []
    kind: Any = RunFile
    for part in map(str, location):
        hidden = (parts == ["data"] and part == MAIN) or (part == "settings" and _is_code(kind))
        kind = child(kind, part)
        if not hidden and not part.startswith("<"):
            parts.append(part)
    return ".".join(parts)


def _fields(owner: type[Section], prefix: Keys) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in owner.model_fields.items():
        if _is_code(owner) and name == "settings":
            continue
        keys = (*prefix, name)
        yield ".".join(keys), field
        kind = Data if keys == ("data",) else _without_null(field.annotation)
        if inner := section(kind):
            yield from _fields(inner, keys)
        elif get_origin(kind) is tuple and (entry := section(get_args(kind)[0])):
            yield from _fields(entry, (*keys, ENTRY))
        elif get_origin(kind) is dict and (entry := section(get_args(kind)[1])):
            yield from _fields(entry, (*keys, ROLE))


def _is_code(kind: Any) -> bool:
    owner = section(kind)
    return owner is not None and issubclass(owner, Code)


def _without_null(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    choices = [choice for choice in get_args(annotation) if choice is not NoneType]
    return choices[0] if len(choices) == 1 else annotation
