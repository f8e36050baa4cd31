"""Environments by name: `twenty_questions` ships with the library, `./mine.py` and `./mine.py:Name` are the user's."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from posttrain.catalogue.index import import_file
from posttrain.catalogue.signature import Signature
from posttrain.environments.environment import Environment
from posttrain.errors import ConfigError, suggestion

_BUNDLED = "posttrain.environments.bundled"
EXAMPLE = "class Name(Environment) with a method step(self, action) -> Outcome"


def bundled() -> tuple[str, ...]:
    """Names of the environments that ship, sorted: the files that define a class of their own name."""
    files = (Path(__file__).parent / "bundled").glob("*.py")
    return tuple(sorted(f.stem for f in files if _defines(f, class_name(f.stem))))


def class_name(file: str) -> str:
    """The class of a bundled file: twenty_questions defines TwentyQuestions."""
    return "".join(word.capitalize() for word in file.split("_"))


def load(path: str, base: Path | None = None) -> type[Environment]:
    """Return the class of a name, or of a user's file: beside the run file (`base`), else in the current folder.

    Raises ConfigError for an unknown name, a file that fails, and a file without one class that is meant.
    """
    file, name = _divided(path)
    if not file.endswith(".py"):
        if file not in bundled():
            known = ", ".join(bundled()) or "none"
            raise ConfigError(f"no environment {file!r}{suggestion(file, bundled())}; {known} ship; yours: ./mine.py")
        return _only(importlib.import_module(f"{_BUNDLED}.{file}"), class_name(file), path)
    beside = (base / file) if base else Path(file)
    return _only(import_file(beside if beside.exists() else Path(file), "environment"), name, path)


def function(path: str, what: str, default: str) -> Callable[..., Any]:
    """Return the function of `./mine.py:name`, or the one called `default` of `./mine.py`.

    `what` it is, for errors. Raises ConfigError where there is no such file or function.
    """
    file, name = _divided(path)
    found = getattr(import_file(Path(file), what), name or default, None)
    if not callable(found):
        raise ConfigError(f"{what} {path}: {file} defines no function {name or default}")
    made: Callable[..., Any] = found
    return made


def check(made: type[Environment], settings: Mapping[str, Any], path: str) -> None:
    """Raise ConfigError for settings that the class does not take, or lacks; they are its keyword-only parameters."""
    signature = Signature(made.__init__, own=("self",))
    if loose := list(signature.data):
        raise ConfigError(
            f"environment {path}: settings are keyword-only, and {made.__name__} takes {loose[0]!r} by position; "
            f"write def __init__(self, *, {', '.join([*loose, *signature.settings])})"
        )
    signature.check(settings, "environment")
    if missing := signature.missing(settings):
        raise ConfigError(f"environment {path} needs the setting {missing[0]!r}: {{path: {path}, {missing[0]}: ...}}")


def _divided(path: str) -> tuple[str, str | None]:
    match = re.fullmatch(r"(.+\.py):(\w+)", path)
    return (match[1], match[2]) if match else (path, None)


def _only(module: ModuleType, name: str | None, path: str) -> type[Environment]:
    """The class of this name in a module, or the only environment that it defines."""
    own = {
        n: value
        for n, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Environment) and value.__module__ == module.__name__
    }
    if name is not None and name not in own:
        raise ConfigError(f"environment {path}: there is no {name!r} in it{suggestion(name, own)}; expected: {EXAMPLE}")
    playable = [name] if name else [n for n, value in own.items() if not inspect.isabstract(value)]
    if not playable:
        lacks = f"{', '.join(own)} lacks step(self, action)" if own else "it defines no environment"
        raise ConfigError(f"environment {path}: {lacks}; expected: {EXAMPLE}")
    if len(playable) > 1:
        raise ConfigError(f"environment {path}: it defines {', '.join(playable)}; write {path}:{playable[0]}")
    return own[playable[0]]


def _defines(file: Path, name: str) -> bool:
    return re.search(rf"^class {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None
