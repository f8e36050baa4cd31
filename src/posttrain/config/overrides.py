"""Changes from the command line: `train.steps=50`, `--train.steps 50`, `--train.steps=50`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from posttrain.config.aliases import ALIASES
from posttrain.config.outline import Keys, canonical, child, section
from posttrain.config.schema import MAIN, RunFile
from posttrain.config.yaml_ import Document, parse_value
from posttrain.errors import ConfigError

COMMAND_LINE = "command line"
KEEPING = ("data",)  # another model has no such revision, another method no such settings

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
        keys = tuple(_renamed(name, COMMAND_LINE).split("."))
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
    foreign = [name for name in document.value if name in ALIASES]
    own = {key: value for key, value in document.value.items() if key not in foreign}
    renamed = replace(document, value=own)
    for name in foreign:
        where = document.marks.get(name, document.name)
        keys = tuple(_renamed(name, where).split("."))
        present = renamed.value.get(keys[0])
        if present is not None and (not isinstance(present, Mapping) or keys[-1] in present):
            raise ConfigError(f"{where}: {name!r} and {'.'.join(keys)!r} are the same thing; remove one")
        renamed = apply(renamed, [Override(keys, document.value[name], where)])
    return renamed


def _renamed(name: str, where: str) -> str:
    if name in ALIASES:
        _log.warning("%s: %r is called %r here", where, name, ALIASES[name])
    return ALIASES.get(name, name)


def _assign(kind: Any, old: Any, keys: Keys, override: Override) -> Any:
    """Return `old` with the new value at `keys`; `kind` is the type of `old` in the schema."""
    if not keys:
        return _renewed(old, override)
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


def _renewed(old: Any, override: Override) -> Any:
    """Return the new value. `data=FILE` changes the path and keeps the rest, such as the columns."""
    if not isinstance(override.value, str) or override.keys[0] not in KEEPING or not isinstance(old, Mapping):
        return override.value
    if old.keys() == {MAIN}:
        return {MAIN: _renewed(old[MAIN], override)}
    return {**old, "path": override.value} if "path" in old else override.value


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
