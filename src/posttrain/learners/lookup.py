"""Worlds by name: `key_door` ships with the library, `./mine.py` and `./mine.py:Name` are the user's."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from posttrain.catalogue.index import import_file
from posttrain.catalogue.signature import Signature
from posttrain.errors import ConfigError, suggestion
from posttrain.learners.world import World

METHODS = ("reset", "step", "describe")


def worlds() -> tuple[str, ...]:
    """Names of the worlds that ship, sorted."""
    files = (Path(__file__).parent / "worlds").glob("*.py")
    return tuple(sorted(f.stem for f in files if f.stem != "__init__"))


def world(path: str, settings: Mapping[str, Any] | None = None, base: Path | None = None) -> World:
    """Make the world of a name, or of a user's file beside the run file (`base`), else in the current folder.

    Raises ConfigError for an unknown name or setting, and for a file without one class that is meant.
    """
    made, given = _class(path, base), dict(settings or {})
    signature = Signature(made.__init__, own=("self",))
    signature.check(given, f"world {path}")
    if missing := signature.missing(given):
        raise ConfigError(f"world {path} needs the setting {missing[0]!r}")
    return cast(World, made(**given))


def _class(path: str, base: Path | None) -> type[Any]:
    match = re.fullmatch(r"(.+\.py):(\w+)", path)
    file, name = (match[1], match[2]) if match else (path, None)
    if file.endswith(".py"):
        beside = (base / file) if base else Path(file)
        return _only(import_file(beside if beside.exists() else Path(file), "world"), name, path)
    if file not in worlds():
        known = ", ".join(worlds())
        raise ConfigError(f"no world {file!r}{suggestion(file, worlds())}; {known} ship; yours: ./mine.py")
    name = "".join(word.capitalize() for word in file.split("_"))
    return _only(importlib.import_module(f"posttrain.learners.worlds.{file}"), name, path)


def _only(module: ModuleType, name: str | None, path: str) -> type[Any]:
    """The class of this name in a module, or the only world that it defines."""
    own = {
        n: value
        for n, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and all(hasattr(value, m) for m in METHODS)
    }
    if name is not None and name in own:
        return own[name]
    if name is not None or len(own) != 1:
        known = ", ".join(own) or "no class with reset, step and describe"
        raise ConfigError(f"world {path}: its file defines {known}; write {path.partition(':')[0]}:NAME")
    return next(iter(own.values()))
