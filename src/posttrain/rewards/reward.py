"""A reward: a function, its weight in the sum and its settings."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from posttrain.catalogue.signature import Signature
from posttrain.errors import ConfigError
from posttrain.rewards.lookup import EXPECTED, bundled, load, locate, reference_of

_TEXTS = ("prompts", "completions", "conversations")
_OWN = ("path", "weight", "name")  # keys of a mapping that are not settings of the function


@dataclass(frozen=True)
class Reads:
    """What a function takes, according to its signature."""

    prompts: bool
    conversations: bool
    required: tuple[str, ...]  # columns without which it cannot be called
    optional: tuple[str, ...]
    any_column: bool  # has **columns
    settings: tuple[str, ...]  # its keyword-only parameters

    def chooses(self, column: str) -> bool:
        """Whether a column of the data goes to the function."""
        named = column in self.required or column in self.optional
        return named or (self.any_column and column not in self.settings and column not in _TEXTS)


@dataclass(frozen=True)
class Reward:
    """A function `(prompts, completions, **columns) -> list[float | None]`, by reference or as an object.

    Positional parameters are columns of the data, keyword-only ones are settings. A function that a worker can import
    is stored as a reference; others (lambdas, closures, functions of a script) run in this process. A parameter
    `conversations` gets the whole prompt as messages, and the completion as the assistant's last one.

    `whole_batch`: one call for all completions of a batch, in this process and without a deadline, for a function that
    holds a model. Raises ConfigError when the function cannot be loaded or called with such arguments.
    """

    name: str
    function: str | Callable[..., Any]
    weight: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    whole_batch: bool = False
    reads: Reads = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.weight, bool) or not isinstance(self.weight, int | float) or not math.isfinite(self.weight):
            raise ConfigError(f"reward {self.name!r}: weight is {self.weight!r}, but must be a finite number")
        function = load(self.function) if isinstance(self.function, str) else self.function
        reads = _reads(self.name, function)
        _check_settings(self.name, function, self.settings)
        object.__setattr__(self, "reads", reads)
        if self.whole_batch:
            object.__setattr__(self, "function", function)
        elif not isinstance(self.function, str):
            object.__setattr__(self, "function", reference_of(function) or function)

    def keeping(self, folder: Path) -> Reward:
        """Fill in the setting `folder`, where the function keeps files, if it has that setting and none was given."""
        if "folder" not in self.reads.settings or "folder" in self.settings:
            return self
        return replace(self, settings={**self.settings, "folder": str(folder.absolute())})

    def notice(self) -> str | None:
        """Return what the user should know before the run: `notice(**settings)` of the function's module, or None.

        The module's function may raise where the reward cannot work on this machine.
        """
        function = load(self.function) if isinstance(self.function, str) else self.function
        notice = getattr(sys.modules.get(getattr(function, "__module__", None) or ""), "notice", None)
        return str(notice(**self.settings)) if inspect.isfunction(notice) else None

    @property
    def source(self) -> str:
        """Location of the function, for messages."""
        return self.function if isinstance(self.function, str) else repr(self.function)


def resolve(spec: str | Mapping[str, Any] | Callable[..., Any] | Reward) -> Reward:
    """Make a reward of what the user wrote.

    "math_answer", "file.py:function", "package.module:function", a callable, `{name: weight}`, or
    `{"path": ..., "weight": ..., "name": ..., **settings}`. Raises ConfigError.
    """
    if isinstance(spec, Reward):
        return spec
    if isinstance(spec, str):
        return _named({"path": spec})
    if isinstance(spec, Mapping):
        if len(spec) == 1 and "path" not in spec:
            ((path, weight),) = spec.items()
            return _named({"path": path, "weight": weight})
        return _named(spec)
    if callable(spec):
        return Reward(getattr(spec, "__name__", type(spec).__name__), spec)
    raise ConfigError(f"a reward is a name, a mapping or a function, not {type(spec).__name__} {spec!r:.80}")


def _named(spec: Mapping[str, Any]) -> Reward:
    path = spec.get("path")
    if not isinstance(path, str):
        raise ConfigError(f"reward {dict(spec)!r:.200} has no path; write {{path: {bundled()[0]}, weight: 1.0}}")
    reference = locate(path)
    name = spec.get("name", reference.rpartition(":")[2])
    settings = {key: value for key, value in spec.items() if key not in _OWN}
    return Reward(name, reference, spec.get("weight", 1.0), settings)


def _reads(name: str, function: Callable[..., Any]) -> Reads:
    """Read the signature. Raises ConfigError for a function that cannot be called as a reward."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"reward {name!r}: its signature cannot be read ({error}); {EXPECTED}") from error
    kinds = {p.kind for p in parameters}
    names = {p.name for p in parameters}
    if inspect.iscoroutinefunction(function):
        raise ConfigError(f"reward {name!r} is an async function; {EXPECTED}")
    if inspect.Parameter.POSITIONAL_ONLY in kinds or inspect.Parameter.VAR_POSITIONAL in kinds:
        raise ConfigError(f"reward {name!r} takes arguments without names, {_signature(function)}; {EXPECTED}")
    any_column = inspect.Parameter.VAR_KEYWORD in kinds
    if "completions" not in names and not any_column:
        raise ConfigError(f"reward {name!r} does not take `completions`, {_signature(function)}; {EXPECTED}")
    signature = Signature(function, own=_TEXTS)
    columns = signature.data.values()
    return Reads(
        prompts="prompts" in names or any_column,
        conversations="conversations" in names,
        required=tuple(p.name for p in columns if p.required),
        optional=tuple(p.name for p in columns if not p.required),
        any_column=any_column,
        settings=tuple(signature.settings),
    )


def _check_settings(name: str, function: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    signature = Signature(function, own=_TEXTS)
    signature.check_names(settings, f"reward {name}")
    if missing := signature.missing(settings):
        raise ConfigError(f"reward {name!r} needs the setting {missing[0]!r}: {{path: {name}, {missing[0]}: ...}}")


def _signature(function: Callable[..., Any]) -> str:
    return f"its signature is {inspect.signature(function)}"
