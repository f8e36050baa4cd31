"""Reward functions by name: `math_answer`, `my_rewards.py:brevity`, `package.module:function`."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from posttrain.catalogue.index import import_file
from posttrain.errors import ConfigError, suggestion

EXPECTED = "expected: def name(prompts: list[str], completions: list[str], **columns: list) -> list[float | None]"
_BUNDLED = "posttrain.rewards.bundled"


def bundled() -> list[str]:
    """Names of the rewards that ship with the library, sorted."""
    return sorted(f.stem for f in (Path(__file__).parent / "bundled").glob("*.py") if f.stem != "__init__")


def locate(spec: str) -> str:
    """Resolve a user's spec to `module:function` or `/folder/file.py:function` without importing anything.

    Raises ConfigError for an unknown name, for a file that does not exist, and for a file without a function.
    """
    spec = spec.removeprefix("python:")
    location, colon, name = spec.rpartition(":")
    if spec.endswith(".py"):
        raise ConfigError(f"reward {spec!r} names no function; write {spec}:{_first_function(spec)}")
    if not colon:
        if spec not in bundled():
            known = bundled()
            raise ConfigError(
                f"no reward {spec!r}{suggestion(spec, known)}; those that ship: {', '.join(known)}; "
                "yours: file.py:function or package.module:function"
            )
        return f"{_BUNDLED}.{spec}:{spec}"
    if location.endswith(".py"):
        file = Path(location).expanduser()
        if not file.is_file():
            raise ConfigError(f"reward {spec!r}: there is no file {file.absolute()}; {EXPECTED}")
        location = str(file.resolve())
    elif not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", location):
        raise ConfigError(f"reward {spec!r}: {location!r} is neither a .py file nor a module; {EXPECTED}")
    return f"{location}:{name}"


def load(reference: str) -> Callable[..., Any]:
    """Import the function that `locate` named. Raises ConfigError when that fails or there is no such function."""
    location, _, name = reference.rpartition(":")
    try:
        module = (
            import_file(Path(location), "reward") if location.endswith(".py") else importlib.import_module(location)
        )
    except (Exception, SystemExit) as error:  # a user's module may fail in any way; the error must name it
        what = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
        raise ConfigError(f"reward {reference}: {what}{_as_file(location, name)}; {EXPECTED}") from error
    target: Any = module
    for part in name.split("."):
        if not hasattr(target, part):
            known = [n for n, value in vars(module).items() if inspect.isfunction(value)]
            raise ConfigError(f"reward {reference}: there is no {name!r} in it{suggestion(name, known)}; {EXPECTED}")
        target = getattr(target, part)
    if not callable(target):
        raise ConfigError(f"reward {reference}: {name!r} is {type(target).__name__}, not a function; {EXPECTED}")
    return target  # type: ignore[no-any-return]


def reference_of(function: Callable[..., Any]) -> str | None:
    """Return where a worker finds the same function or class; None for lambdas, closures, methods and __main__'s."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    known = inspect.isfunction(function) or inspect.isclass(function)
    if not known or module is None or module.__name__ == "__main__":
        return None
    if vars(module).get(function.__name__) is not function:
        return None
    if _can_be_imported(module.__name__):
        return f"{module.__name__}:{function.__name__}"
    file = getattr(module, "__file__", None)
    return f"{file}:{function.__name__}" if file and file.endswith(".py") else None


def stands_alone(function: Callable[..., Any]) -> bool:
    """Whether a function keeps nothing besides the globals of its module: a plain function or lambda, no closure."""
    return inspect.isfunction(function) and not function.__closure__


def _can_be_imported(module: str) -> bool:
    """Whether a fresh process finds the module by name, which it does not if the file was loaded by its path."""
    package = module.partition(".")[0]
    return any(finder.find_spec(package, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))


def _as_file(location: str, name: str) -> str:
    """Hint at my_rewards.py where the spec was `my_rewards:brevity` and such a file exists."""
    file = f"{location.replace('.', '/')}.py"
    return f" (did you mean {file}:{name}?)" if not location.endswith(".py") and Path(file).is_file() else ""


def _first_function(file: str) -> str:
    match = re.search(r"^def (\w+)", Path(file).read_text(errors="replace"), re.M) if Path(file).is_file() else None
    return match.group(1) if match else "function"
