"""Parts: pure functions whose tensors are named and whose settings are bound. The signature is the only declaration:

positional parameter = tensor, by its name in the vocabulary;  keyword-only parameter = setting;
first parameter `state` = stateful;  return annotation = axes of the result.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from torch import Tensor

from posttrain.errors import ConfigError, suggestion

PerToken = Annotated[Tensor, "T"]
PerRow = Annotated[Tensor, "B"]
PerPair = Annotated[Tensor, "N"]
PerTokenVocab = Annotated[Tensor, "T V"]
PerRowMany = Annotated[Tensor, "B K"]  # several numbers a row: members of an ensemble, attributes, quantiles
PerRowState = Annotated[Tensor, "B D"]  # a hidden state for each row
PairIndex = Annotated[Tensor, "N 2"]
COMPARED = "compared"
ComparedGroup = Annotated[
    Tensor, "B", COMPARED
]  # ids of groups whose rows the part compares: one row alone means nothing
Scalar = Annotated[Tensor, ""]
State = dict[str, float]
Function = Callable[..., Any]


class PartError(ConfigError):
    """Raised for a function that cannot be a part, and for a part that does not fit its place in a method."""


@functools.cache
def _hints(fn: Function) -> dict[str, Any]:
    return typing.get_type_hints(fn, include_extras=True)


@functools.cache
def _parameters(fn: Function) -> tuple[inspect.Parameter, ...]:
    return tuple(inspect.signature(fn).parameters.values())


def _axes(hint: Any) -> str | None:
    return hint.__metadata__[0] if hasattr(hint, "__metadata__") else None


@dataclass(frozen=True)
class Part:
    """A function with the fillers of its tensor parameters and its settings. Frozen, hashable and picklable."""

    fn: Function
    binds: tuple[tuple[str, str | Part], ...]  # tensor parameter -> the tensor or the part that fills it
    settings: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.fn.__name__

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.fn.__doc__ or self.name).strip().splitlines()[0]

    @property
    def where(self) -> str:
        """Name, file and line of the function, for error messages."""
        code = self.fn.__code__
        return f"{self.name} ({Path(code.co_filename).name}:{code.co_firstlineno})"

    @property
    def stateful(self) -> bool:
        """Whether the function takes and returns a state."""
        return next((p.name for p in _parameters(self.fn)), "") == "state"

    @property
    def axes(self) -> str:
        """Axes of the result, from the return annotation. Raises PartError if there is none."""
        result = _hints(self.fn).get("return")
        axes = _axes(typing.get_args(result)[1] if self.stateful and typing.get_args(result) else result)
        if axes is None:
            raise PartError(
                f"{self.where}: say what it returns: -> PerToken, PerRow, PerPair or Scalar "
                "(stateful: tuple[State, Scalar])"
            )
        return axes

    @property
    def expects(self) -> dict[str, str]:
        """Axes of the annotated tensor parameters. A parameter without annotation accepts any axes."""
        hints = {name: _axes(_hints(self.fn).get(name)) for name, _ in self.binds}
        return {name: axes for name, axes in hints.items() if axes is not None}

    @property
    def needs(self) -> frozenset[str]:
        """Names of all tensors that the part and its inner parts read."""
        return frozenset().union(*(b.needs if isinstance(b, Part) else {b} for _, b in self.binds))

    @property
    def compares(self) -> bool:
        """Whether the part or an inner one compares the answers to a prompt, so that one answer alone means nothing."""
        hints = (hint for p in self.walk() for hint in _hints(p.fn).values())
        return any(COMPARED in getattr(hint, "__metadata__", ()) for hint in hints)

    def walk(self) -> Iterator[Part]:
        """Yield the part and all its inner parts, outermost first."""
        yield self
        for _, b in self.binds:
            if isinstance(b, Part):
                yield from b.walk()

    def __call__(self, batch: Mapping[str, Any], *state: Any, cache: dict[Part, Any] | None = None) -> Any:
        """Compute the part on a batch. With a `cache`, terms of one micro-batch share common inner parts (a ratio)."""
        cache = {} if cache is None else cache
        if self not in cache:
            args = [b(batch, cache=cache) if isinstance(b, Part) else batch[b] for _, b in self.binds]
            cache[self] = self.fn(*state, *args, **dict(self.settings))
        return cache[self]

    def with_settings(self, change: Callable[[Part, str, Any], Any]) -> Part:
        """Return a copy whose settings, and those of its inner parts, are `change(part, key, value)`."""
        settings = tuple((k, change(self, k, v)) for k, v in self.settings)
        binds = tuple((n, b.with_settings(change) if isinstance(b, Part) else b) for n, b in self.binds)
        return Part(self.fn, binds, settings)


def part(fn: Function, /, **given: Any) -> Part:
    """Make a part of a function: name its tensors and bind its settings.

    `part(gae, lam=0.9)` sets a setting; `part(gae, old_value="old_cost_value")` reads another tensor;
    `part(clipped_surrogate, ratio=token_ratio)` fills a tensor with the result of another part.
    Raises PartError for a name that the function does not have, and for a function that hides its inputs (*args).
    """
    where = f"{fn.__module__}.{fn.__qualname__}"
    _check_function(fn, where)
    tensors = [p.name for p in _parameters(fn) if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "state"]
    defaults = {p.name: p.default for p in _parameters(fn) if p.kind is p.KEYWORD_ONLY}
    _check_given(where, given, tensors, defaults)
    settings = {k: given.get(k, v) for k, v in defaults.items()}
    missing = [k for k, v in settings.items() if v is inspect.Parameter.empty]
    if missing:
        raise PartError(f"{where}: {missing} have no default and must be given")
    mutable = [k for k, v in settings.items() if isinstance(v, list | dict | set)]
    if mutable:
        raise PartError(f"{where}: {mutable} must be frozen; write a tuple")
    filled = ((t, given.get(t, t)) for t in tensors)
    bound = Part(
        fn,
        tuple((t, x if isinstance(x, str) else as_part(x)) for t, x in filled),
        tuple(sorted(settings.items())),
    )
    _ = bound.axes  # a missing return annotation fails here, at import
    return bound


def _check_function(fn: Function, where: str) -> None:
    if "<" in fn.__qualname__:
        raise PartError(f"{where}: lambdas and inner functions do not pickle; define it at the top of a module")
    if any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in _parameters(fn)):
        raise PartError(f"{where}: *args/**kwargs hide inputs; name them")


def _check_given(where: str, given: Mapping[str, Any], tensors: list[str], defaults: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in defaults and name not in tensors:
            raise PartError(
                f"{where}: no setting or tensor {name!r}{suggestion(name, [*defaults, *tensors])}; "
                f"settings {list(defaults)}, tensors {tensors}"
            )
        fills = isinstance(value, Part) or callable(value)
        if name in tensors and not (isinstance(value, str) or fills):
            raise PartError(f"{where}: {name!r} is a tensor; give the name of a tensor or a part")
        if name in defaults and fills:
            raise PartError(f"{where}: {name!r} is a setting (after '*'); move it before '*' to fill it with a part")


def as_part(x: Part | Function) -> Part:
    """Return a part as it is, and a bare function as a part with default tensors and settings."""
    return x if isinstance(x, Part) else part(x)


def pick(score: PerRow, pairs: PairIndex, *, column: int) -> PerPair:
    """Select the scores of the preferred (column 0) or rejected (column 1) rows: [B] -> [N]."""
    return score[pairs[:, column]]


def pairwise(link: Function, score: Part | Function, **given: Any) -> Part:
    """Score every row and pass the scores of both sides of each pair to `link`, as `chosen` and `rejected`.

    A keyword that is a part and no parameter of `link` is one more score: kl=... fills `chosen_kl` and `rejected_kl`.
    Every other keyword is a setting or a tensor of `link`. This is a shorthand for nested parts.
    """
    scores: dict[str, Part | Function] = {"": score}
    link_parameters = {p.name for p in _parameters(link)}
    for name, value in given.items():
        if (isinstance(value, Part) or callable(value)) and name not in link_parameters:
            scores[f"_{name}"] = value
    columns = {
        f"{side}{suffix}": part(pick, score=value, column=column)
        for suffix, value in scores.items()
        for column, side in enumerate(("chosen", "rejected"))
    }
    return part(link, **columns, **{k: v for k, v in given.items() if f"_{k}" not in scores})


def settings_of(parts: Iterable[Part]) -> list[tuple[Part, str, Any]]:
    """List (part, setting, value) for all parts inside these, except the helper `pick`."""
    return [(p, k, v) for root in parts for p in root.walk() if p.fn is not pick for k, v in p.settings]
