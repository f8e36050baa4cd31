"""A transform of scores, or a way to combine them: a function by its name, and its settings.

What the function sees is what its positional parameters are called; keyword-only ones are its settings.

    score       one score: the function is called for each answer, and for each span or turn that a reward judged
    group       the scores of all answers to a prompt; it returns as many
    scores      the scores of all answers of a batch; it returns as many
    baseline    beside `score`: those of the answers to the same prompt that were sampled before the training
    tokens      beside `score`: the length of the answer; beside `scores`: those of all their answers
    text        beside `score`: the answer
    ended       beside `score`: whether the answer ended by itself, and was not cut at the limit of tokens
    state       before `scores`: what it returned for the batch before, None at first; it returns (state, scores)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from posttrain.catalogue.signature import Signature
from posttrain.errors import ConfigError, suggestion
from posttrain.rewards.lookup import load, locate

FORMS = (
    ("score",), ("score", "baseline"), ("score", "tokens"), ("score", "text"), ("score", "ended"),
    ("score", "baseline", "tokens"),
    ("group",), ("scores",), ("scores", "tokens"), ("state", "scores"),
)  # fmt: skip
COMBINES = (("scores",), ("scores", "unweighted"))
_FOLDERS = {"transform": "transforms", "combine": "combinations"}


@dataclass(frozen=True)
class Transform:
    """A function with its settings. `kind`: transform or combine. Raises ConfigError for what it does not take."""

    name: str
    function: Callable[..., Any] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    kind: str = "transform"

    def __post_init__(self) -> None:
        signature = Signature(self.function)
        known = FORMS if self.kind == "transform" else COMBINES
        if self.sees not in known:
            forms = "; ".join(", ".join(form) for form in known)
            raise ConfigError(f"{self.kind} {self.name!r} takes ({', '.join(self.sees)}); it may take: {forms}")
        signature.check(self.settings, f"{self.kind} {self.name}")
        if missing := signature.missing(self.settings):
            raise ConfigError(
                f"{self.kind} {self.name!r} needs {missing[0]!r}: {{path: {self.name}, {missing[0]}: ...}}"
            )

    @cached_property
    def sees(self) -> tuple[str, ...]:
        """The names of its positional parameters."""
        return tuple(Signature(self.function).data)

    def __call__(self, *values: Any) -> Any:
        """Call the function with what it sees, in its own order."""
        return self.function(*values, **self.settings)

    def __str__(self) -> str:
        given = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name}({given})" if given else self.name


def shipped(kind: str = "transform") -> list[str]:
    """Names of the transforms, or of the ways to combine rewards, that ship with the library, sorted."""
    folder = Path(__file__).parents[1] / _FOLDERS[kind]
    return sorted(f.stem for f in folder.glob("*.py") if f.stem != "__init__")


def function_of(kind: str, name: str) -> Callable[..., Any]:
    """Import one of those that ship."""
    return load(f"posttrain.rewards.{_FOLDERS[kind]}.{name}:{name}")


def transform(spec: str | Mapping[str, Any] | Callable[..., Any] | Transform, kind: str = "transform") -> Transform:
    """Make a transform of what the user wrote: a name, `file.py:function`, a function, or {path, **settings}."""
    if isinstance(spec, Transform):
        return spec
    entry = dict(spec) if isinstance(spec, Mapping) else {"path": spec}
    path = entry.pop("path", None)
    if callable(path):
        return Transform(getattr(path, "__name__", type(path).__name__), path, entry, kind)
    if not isinstance(path, str):
        raise ConfigError(f"{kind} {spec!r:.80} has no path; write {{path: {shipped(kind)[0]}, ...}}")
    if ":" in path or path.endswith(".py"):
        reference = locate(path)
        return Transform(reference.rpartition(":")[2], load(reference), entry, kind)
    if path not in (known := shipped(kind)):
        raise ConfigError(
            f"no {kind} {path!r}{suggestion(path, known)}; those that ship: {', '.join(known)}; yours: file.py:function"
        )
    return Transform(path, function_of(kind, path), entry, kind)


def transforms(specs: Sequence[Any]) -> tuple[Transform, ...]:
    """Make the transforms of a list, in its order."""
    return tuple(transform(spec) for spec in specs)


def finite(value: Any, of: str) -> float:
    """A score that a transform returned. Raises ConfigError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{of} returned {value!r:.80}, which is no finite number; correct it, or clip before it")
    return float(value)
