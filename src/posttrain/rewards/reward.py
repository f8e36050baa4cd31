"""A reward: a function, its weight in the sum and its settings."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, DataError
from posttrain.rewards.construct import make, outline, unpacked
from posttrain.rewards.lookup import bundled, load, locate, reference_of
from posttrain.rewards.passage import WHOLE, Passage
from posttrain.rewards.reads import TOKENS, Form, Reads, read
from posttrain.rewards.shaping.transform import Transform, transforms
from posttrain.rewards.workers.framing import pack

# Keys of a mapping that are not settings of the function.
_OWN = ("path", "weight", "name", "signature", "read_after", "read_before", "transform")


@dataclass(frozen=True)
class Reward:
    """A function `(prompts, completions, **columns) -> list[float | None]`, by reference or as an object.

    Positional parameters are columns of the data, unless a setting has their name; keyword-only ones are settings. A
    function that a worker can import is stored as a reference; others are objects of this process. A class or a factory
    is called with its settings first (rewards/construct.py). `signature`: the form of the function where its parameters
    do not tell (rewards/reads.py). A parameter `conversations` gets the whole prompt as messages, and the completion as
    the assistant's last one.

    `passage`: the part of an answer that it reads (rewards/passage.py).

    `transform`: what its scores pass through before they are trained on (rewards/shaping).

    `whole_batch`: one call for all completions of a batch, in this process and without a deadline, for a function that
    holds a model. Raises ConfigError when the function cannot be loaded or called with such arguments.
    """

    name: str
    function: str | Callable[..., Any]
    weight: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    whole_batch: bool = False
    signature: Form | None = None
    passage: Passage = WHOLE
    transform: tuple[Transform, ...] = ()
    reads: Reads = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.weight, bool) or not isinstance(self.weight, int | float) or not math.isfinite(self.weight):
            raise ConfigError(f"reward {self.name!r}: weight is {self.weight!r}, but must be a finite number")
        target, fixed = (load(self.function), {}) if isinstance(self.function, str) else unpacked(self.function)
        settings = {**fixed, **self.settings}
        outlined = outline(self.name, target, settings)
        reads = read(self.name, outlined.function, outlined.call, self.signature)
        reads.check_settings(self.name, outlined.call, also=outlined.makes)
        if not self.passage.is_whole and TOKENS in inspect.signature(outlined.function).parameters:
            raise ConfigError(
                f"reward {self.name!r} reads {TOKENS}, the tokens of whole answers, which read_after and read_before "
                "do not divide; remove these, or let it read `completions`"
            )
        reference = self.function if isinstance(self.function, str) else reference_of(target)
        by_name = reference is not None and not self.whole_batch and _plain(settings)
        if not by_name:
            made = make(self.name, target, settings)
            target, settings = made.function, dict(made.call)
        object.__setattr__(self, "function", reference if by_name else target)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "reads", reads)

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


def resolve(spec: str | Mapping[Any, Any] | Callable[..., Any] | Reward) -> Reward:
    """Make a reward of what the user wrote.

    "math_answer", "file.py:function", "package.module:function", a callable, `{name: weight}`, or
    `{"path": ..., "weight": ..., "name": ..., "signature": ..., "read_after": ..., "read_before": ...,
    "transform": [...], **settings}`, where `path` may be a callable too.
    Raises ConfigError.
    """
    if isinstance(spec, Reward):
        return spec
    if isinstance(spec, Mapping):
        if len(spec) == 1 and "path" not in spec:
            ((path, weight),) = spec.items()
            return _entry({"path": path, "weight": weight})
        return _entry(spec)
    if isinstance(spec, str) or callable(spec):
        return _entry({"path": spec})
    raise ConfigError(f"a reward is a name, a mapping or a function, not {type(spec).__name__} {spec!r:.80}")


def check_columns(rewards: Iterable[Reward], columns: Collection[str], where: str) -> None:
    """Raise DataError for a column that a reward cannot do without and that data has not, listing those it has."""
    for reward in rewards:
        if missing := reward.reads.missing(columns):
            raise DataError(lacking(reward, missing[0], columns, where))


def lacking(reward: Reward, column: str, columns: Iterable[str], where: str) -> str:
    """Describe a column that is missing."""
    known = ", ".join(sorted(columns)) or "none besides those of the prompt"
    return (
        f"{where}: {column!r} is missing; reward {reward.name!r} reads it (null where it should abstain). Columns: "
        f"{known}; one that is called otherwise: data: {{columns: {{{column}: ITS_NAME}}}}"
    )


def _entry(spec: Mapping[str, Any]) -> Reward:
    path = spec.get("path")
    if not isinstance(path, str) and not callable(path):
        raise ConfigError(f"reward {dict(spec)!r:.200} has no path; write {{path: {bundled()[0]}, weight: 1.0}}")
    function = locate(path) if isinstance(path, str) else path
    name = spec.get("name", function.rpartition(":")[2] if isinstance(function, str) else _name_of(function))
    settings = {key: value for key, value in spec.items() if key not in _OWN}
    return Reward(
        name,
        function,
        spec.get("weight", 1.0),
        settings,
        signature=spec.get("signature"),
        passage=Passage(spec.get("read_after"), spec.get("read_before")),
        transform=transforms(spec.get("transform", ())),
    )


def _name_of(function: Callable[..., Any]) -> str:
    inner = unpacked(function)[0]
    return str(getattr(inner, "__name__", type(inner).__name__))


def _plain(settings: Mapping[str, Any]) -> bool:
    """Whether settings can be sent to a worker."""
    try:
        pack(dict(settings))
    except (TypeError, ValueError, RecursionError):
        return False
    return True
