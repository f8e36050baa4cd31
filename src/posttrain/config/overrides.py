"""Changes from the command line: `train.steps=50`, `--train.steps 50`, `--train.steps=50`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from posttrain.config.aliases import alias
from posttrain.config.code import Code
from posttrain.config.outline import Keys, canonical, child, kind_at, section
from posttrain.config.schema import MAIN, POLICY, RunFile
from posttrain.config.section import Pathed
from posttrain.config.yaml_ import Document, parse_value
from posttrain.errors import ConfigError

COMMAND_LINE = "command line"
BOUND = ("revision", "endpoint", "mix")  # keys that belong to the old path: another model has no such revision

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Override:
    """A new value for a dotted key, and where it was written."""

    keys: Keys
    value: Any
    where: str = COMMAND_LINE


def parse(arguments: Sequence[str]) -> list[Override]:
    """Return the overrides of a command line, in its order. Raises ConfigError if a key or a value is missing."""
    overrides = []
    rest = list(arguments)
    while rest:
        key, equals, value = rest.pop(0).partition("=")
        flag = key.startswith("--")
        if not equals:
            if not flag:
                raise ConfigError(f"{COMMAND_LINE}: expected key=value or --key value, not {key!r}")
            if not rest or rest[0].startswith("--"):
                raise ConfigError(f"{COMMAND_LINE}: {key} needs a value: {key} VALUE")
            value = rest.pop(0)
        name = key.removeprefix("--").replace("-", "_") if flag else key
        keys = _renamed(tuple(name.split(".")), COMMAND_LINE)
        if not all(keys):
            raise ConfigError(f"{COMMAND_LINE}: {key!r} is no key; write it as in train.steps=50")
        overrides.append(Override(keys, parse_value(value, f"{COMMAND_LINE}: {name}")))
    return overrides


def apply(document: Document, overrides: Sequence[Override]) -> Document:
    """Return the document with the overrides applied. A short form is expanded if a key inside it is set."""
    for override in overrides:
        value = _assign(RunFile, document.value, canonical(override.keys), override)
        document = replace(document, value=value, marks=_marked(document.marks, override))
    return document


def without_aliases(document: Document) -> Document:
    """Return the document with other trainers' names replaced. Raises ConfigError if both names are given."""
    while keys := next(_foreign(RunFile, document.value, ()), None):
        name = ".".join(keys)
        where = document.marks.get(name, document.name)
        target = _renamed(keys, where)
        value, rest = _taken(document.value, keys)
        if _given(rest, canonical(target)):
            raise ConfigError(f"{where}: {name!r} and {'.'.join(target)!r} are the same thing; remove one")
        document = apply(replace(document, value=rest), [Override(target, value, where)])
    return document


def _foreign(kind: Any, value: Any, path: Keys) -> Iterator[Keys]:
    """Yield the names of other trainers. The settings of code are its own and are left alone."""
    owner = section(kind)
    if not isinstance(value, Mapping) or (owner is not None and issubclass(owner, Code)):
        return
    for key, item in value.items():
        keys = (*path, str(key))
        if owner is None or key in owner.model_fields:
            yield from _foreign(child(kind, str(key)), item, keys)
        elif alias(keys):
            yield keys


def _taken(value: Any, keys: Keys) -> tuple[Any, Any]:
    """Return the value at `keys`, and a copy of the whole without it."""
    rest = dict(value)
    if len(keys) == 1:
        return rest.pop(keys[0]), rest
    taken, rest[keys[0]] = _taken(value[keys[0]], keys[1:])
    return taken, rest


def _given(value: Any, keys: Keys) -> bool:
    """Whether a value stands at `keys`, in a short form or written out."""
    for length, key in enumerate(keys):
        owner = section(kind_at(keys[:length]))
        value = owner.expand(value) if owner else value
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _renamed(keys: Keys, where: str) -> Keys:
    target = alias(keys)
    if target is None:
        return keys
    _log.warning("%s: %r is called %r here", where, ".".join(keys), ".".join(target))
    return target


def _assign(kind: Any, old: Any, keys: Keys, override: Override) -> Any:
    """Return `old` with the new value at `keys`; `kind` is the type of `old` in the schema."""
    if not keys:
        return _renewed(kind, old, override)
    if owner := section(kind):
        old = owner.expand(old)
        if owner.dotted:
            keys = (".".join(keys),)
    key, rest = keys[0], keys[1:]
    if isinstance(old, list | tuple):
        index = _index(old, key, override)
        return [_assign(child(kind, key), v, rest, override) if i == index else v for i, v in enumerate(old)]
    if old is not None and not isinstance(old, Mapping):
        inner = ".".join(override.keys)
        raise ConfigError(f"{override.where}: {inner}: there is the value {old!r}, which has no key {key!r}")
    changed = dict(old or {})
    changed[key] = _assign(child(kind, key), changed.get(key), rest, override)
    return changed


def _renewed(kind: Any, old: Any, override: Override) -> Any:
    """Return the new value. Another path, as in `data=FILE`, `data=[A, B]` or `model=FOLDER`, keeps the keys beside it.

    What belongs to the old path, such as the settings of another method, is dropped with a warning.
    """
    new, owner = override.value, section(kind)
    if override.keys == ("data",) and isinstance(old, Mapping) and old.keys() == {MAIN}:
        return {MAIN: _renewed(child(kind, MAIN), old[MAIN], override)}
    old = owner.expand(old) if owner else old
    if isinstance(new, list) and owner and isinstance(old, Mapping) and isinstance(form := owner.expand(new), Mapping):
        return {**{key: item for key, item in old.items() if key not in ("path", *BOUND)}, **form}
    if not isinstance(new, str) or not isinstance(old, Mapping) or not (owner and issubclass(owner, Pathed)):
        return new
    if old.get("path") == new:
        return old
    own = owner.model_fields.keys() - {*BOUND, "settings"} if new != POLICY else {"path"}
    if dropped := [key for key, item in old.items() if key not in own and item is not None]:
        name = ".".join(override.keys)
        _log.warning(
            "%s: %s=%s drops %s, which belonged to %s; to keep the rest as well, set %s.path",
            override.where, name, new, ", ".join(f"{name}.{key}" for key in dropped), old.get("path"), name,
        )  # fmt: skip
    return {**{key: item for key, item in old.items() if key in own}, "path": new}


def _marked(marks: Mapping[str, str], override: Override) -> dict[str, str]:
    """Return the places of all values after an override, which may also have created mappings around its value."""
    path = ".".join(override.keys)
    places = {key: where for key, where in marks.items() if key != path and not key.startswith(path + ".")}
    for length in range(1, len(override.keys) + 1):
        places.setdefault(".".join(override.keys[:length]), override.where)
    return places


def _index(items: Sequence[Any], key: str, override: Override) -> int:
    if not key.isdecimal() or int(key) >= len(items):
        path = ".".join(override.keys)
        raise ConfigError(f"{override.where}: {path}: a list of {len(items)}; its entries are 0 to {len(items) - 1}")
    return int(key)
