"""From what a name leads to, to the function that is called: classes and factories are called with their settings.

A class is constructed once in each worker, with those settings that its constructor takes. A factory is a function that
takes no answers and whose parameters are all settings: `trl.rewards:get_soft_overlong_punishment`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from posttrain.errors import ConfigError
from posttrain.rewards.lookup import EXPECTED
from posttrain.rewards.reads import parameters_of, scores

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """A function to call, and how its settings divide: `made_with` made it, `call` go along with every call."""

    function: Callable[..., Any]
    made_with: Settings
    call: Settings
    makes: tuple[str, ...] = ()  # the settings that its class or factory takes


def make(name: str, target: Callable[..., Any], settings: Settings) -> Made:
    """Construct what is called. Raises ConfigError where a constructor or factory lacks a setting, or fails."""
    if not inspect.isclass(target) and not _is_factory(name, target):
        return Made(target, {}, settings)
    made_with, call, names = _divided(name, target, settings)
    try:
        function = target(**made_with)
    except Exception as error:  # a user's constructor may fail in any way; the error must name it
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"reward {name!r}: {target.__name__} cannot be made with {dict(made_with)}: {what}"
        ) from error
    if not callable(function):
        raise ConfigError(
            f"reward {name!r}: {target.__name__} makes {type(function).__name__}, no function; {EXPECTED}"
        )
    return Made(function, made_with, call, names)


def outline(name: str, target: Callable[..., Any], settings: Settings) -> Made:
    """Say what `make` would, with something of the same signature; a class, which may load a model, is not made."""
    if not inspect.isclass(target):
        return make(name, target, settings)
    if "__call__" not in vars(target) and not any("__call__" in vars(base) for base in target.__mro__[:-1]):
        raise ConfigError(f"reward {name!r}: the class {target.__name__} has no __call__; {EXPECTED}")
    made_with, call, names = _divided(name, target, settings)
    method = inspect.getattr_static(target, "__call__")
    function = method.__get__(None, target) if isinstance(method, staticmethod | classmethod) else _bound(target)
    return Made(function, made_with, call, names)


def unpacked(function: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function of a functools.partial, and its arguments as settings; any other as it is."""
    if not isinstance(function, functools.partial):
        return function, {}
    try:
        bound = inspect.signature(function.func).bind_partial(*function.args, **function.keywords)
    except (TypeError, ValueError):
        return function, {}
    kinds = {bound.signature.parameters[n].kind for n in bound.arguments}
    if not kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
        return function, {}
    inner, settings = unpacked(function.func)
    return inner, {**settings, **bound.arguments}


def _bound(target: type) -> Callable[..., Any]:
    """A function with the signature of the instances of a class."""
    outlined = functools.partial(target.__call__, None)
    outlined.__module__ = target.__module__
    return outlined


def _is_factory(name: str, target: Callable[..., Any]) -> bool:
    """Whether a function takes no answers and no columns: what it needs can only be settings."""
    if not inspect.isfunction(target):
        return False
    return not scores(parameters_of(name, target)) and "prompts" not in parameters_of(name, target)


def _divided(name: str, target: Callable[..., Any], settings: Settings) -> tuple[Settings, Settings, tuple[str, ...]]:
    """Divide settings between a constructor and the calls of what it makes."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"reward {name!r}: its signature cannot be read ({error}); {EXPECTED}") from error
    takes = tuple(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
    needs = [p.name for p in parameters if p.default is p.empty and p.name in takes]
    if missing := [n for n in needs if n not in settings]:
        shown = f"its signature is {inspect.signature(target)}"
        raise ConfigError(
            f"reward {name!r} does not take `completions`, {shown}; {EXPECTED}"
            if inspect.isfunction(target) and not settings
            else f"reward {name!r} needs the setting {missing[0]!r}, {shown}: {{path: {name}, {missing[0]}: ...}}"
        )
    made_with = {key: value for key, value in settings.items() if key in takes}
    return made_with, {key: value for key, value in settings.items() if key not in takes}, takes
