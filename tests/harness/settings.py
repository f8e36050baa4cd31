"""What the docstring of a function must say about its settings: used for parts, procedures, rewards and tasks alike."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import posttrain
from posttrain.catalogue.signature import documented

SOURCE = Path(posttrain.__file__).parent
SHORTEST = 15
BOUNDS = re.compile(r"\d|\b(any|null|true|false|name|path|file|folder|text|options|key|keys)\b")


def settings_of(function: Callable[..., Any]) -> list[str]:
    """Names of the keyword-only parameters, in their order."""
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]


def problems(function: Callable[..., Any]) -> list[str]:
    """What is wrong with the lines of a function's settings; empty where all is well."""
    where, lines, found = f"{function.__module__}.{function.__name__}", documented(function), []
    parameters = inspect.signature(function).parameters
    for name in settings_of(function):
        line = lines.get(name, "")
        if parameters[name].annotation is inspect.Parameter.empty:
            found.append(f"{where}: {name} has no type")
        if len(line) < SHORTEST:
            found.append(f"{where}: {name} has no line `{name}: text` below `Settings:`")
        elif not BOUNDS.search(line):
            found.append(f"{where}: the line of {name} names no range or bound: {line!r}")
    if not found and list(lines) != settings_of(function):
        found.append(f"{where}: lines {list(lines)}, but settings {settings_of(function)}")
    return found


def functions_of(module: Any) -> Iterator[FunctionType]:
    """The public functions that a module defines itself."""
    for value in vars(module).values():
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and value.__name__[0] != "_":
            yield value


def modules_below(folder: str) -> list[str]:
    """Full names of the modules in a folder of src/posttrain and in the folders below it."""
    files = sorted((SOURCE / folder).rglob("*.py"))
    return [".".join(("posttrain", *f.relative_to(SOURCE).with_suffix("").parts)) for f in files if f.stem[0] != "_"]
