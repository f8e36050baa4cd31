"""Signatures of procedures, tasks and rewards: a function's parameters are the declaration of its data and settings.

Positional parameters are data, keyword-only parameters are settings. A setting is documented by one line of the
function's docstring, under `Settings:`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from posttrain.errors import ConfigError, suggestion

LINE = re.compile(r"^\s*(\w+): (\S.*)$")


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name, its default (None with `required`), and its line of the docstring if it is a setting."""

    name: str
    default: Any
    required: bool
    doc: str = ""


class Signature:
    """The parameters of a function, without those that its caller always passes, `own` (`session`)."""

    def __init__(self, function: Callable[..., Any], own: Iterable[str] = ()) -> None:
        self.function = function
        self.own = frozenset(own)
        self.parameters = tuple(inspect.signature(function).parameters.values())

    @cached_property
    def data(self) -> dict[str, Parameter]:
        """Positional parameters: streams of records, or columns."""
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
        return {p.name: _parameter(p) for p in self.parameters if p.kind in kinds and p.name not in self.own}

    @cached_property
    def settings(self) -> dict[str, Parameter]:
        """Keyword-only parameters."""
        docs = documented(self.function)
        only = [p for p in self.parameters if p.kind is p.KEYWORD_ONLY and p.name not in self.own]
        return {p.name: _parameter(p, docs.get(p.name, "")) for p in only}

    @property
    def takes_any_data(self) -> bool:
        """Whether the function takes any keyword (**columns)."""
        return any(p.kind is p.VAR_KEYWORD for p in self.parameters)

    def check_data(self, given: Iterable[str], where: str) -> None:
        """Raise ConfigError if data is missing, or given and not read."""
        names = set(given)
        known = ", ".join(self.data)
        if missing := [n for n, p in self.data.items() if p.required and n not in names]:
            raise ConfigError(f"data: {where} reads {known}; {', '.join(missing)} is missing")
        if extra := sorted(names - set(self.data)):
            raise ConfigError(
                f"data: {where} does not read {extra[0]!r}{suggestion(extra[0], self.data)}; it reads {known}"
            )

    def check_names(self, given: Iterable[str], where: str) -> None:
        """Raise ConfigError for a setting that the function does not have."""
        for key in given:
            if key not in self.settings:
                known = ", ".join(self.settings) or "none"
                raise ConfigError(f"{where}.{key}: unknown setting{suggestion(key, self.settings)}; settings {known}")

    def check(self, given: Mapping[str, Any], where: str) -> None:
        """Raise ConfigError for settings that the function does not have, or that do not have the annotated type."""
        from pydantic import TypeAdapter, ValidationError

        self.check_names(given, where)
        hints = get_type_hints(self.function)
        for key, value in given.items():
            try:
                TypeAdapter(hints.get(key, Any)).validate_python(value, strict=True)
            except ValidationError as error:
                reasons = " or ".join(dict.fromkeys(e["msg"] for e in error.errors()))
                raise ConfigError(f"{where}.{key}: {value!r}: {reasons}") from None

    def missing(self, given: Iterable[str]) -> list[str]:
        """List the settings without a default that are not given."""
        names = set(given)
        return [n for n, p in self.settings.items() if p.required and n not in names]


def documented(function: Callable[..., Any]) -> dict[str, str]:
    """Map each setting to its line in the docstring: `name: what it does; sane range`, below `Settings:`."""
    _, _, block = (inspect.getdoc(function) or "").partition("Settings:\n")
    lines = {}
    for line in block.split("\n"):
        if not (match := LINE.match(line)) or not line.startswith(" "):
            break
        lines[match[1]] = match[2]
    return lines


def _parameter(p: inspect.Parameter, doc: str = "") -> Parameter:
    required = p.default is p.empty
    return Parameter(p.name, None if required else p.default, required, doc)
