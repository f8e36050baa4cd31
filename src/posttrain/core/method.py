"""A published algorithm as data: a frozen record that names pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from posttrain.core.kinds import Kind, kind, kinds
from posttrain.core.parts import Function, Part, PartError, as_part
from posttrain.core.tensors import BY_TRAINER, FIELDS, Field, When
from posttrain.errors import suggestion
from posttrain.records import Episode, Record

V = TypeVar("V")
MAIN = "main"


class Reduce(Enum):
    """How the values of a part become one number. The trainer divides by a count over the whole optimiser step."""

    TOKEN_MEAN = "mean over trained tokens"  # noqa: S105 (not a password)
    SEQUENCE_MEAN = "mean over rows of the mean over their tokens"
    SEQUENCE_SUM = "mean over rows of the sum over their tokens"
    MEAN = "mean over rows or pairs"
    WHOLE = "one number for the whole minibatch"


TOKEN_MEAN, SEQUENCE_MEAN, SEQUENCE_SUM = Reduce.TOKEN_MEAN, Reduce.SEQUENCE_MEAN, Reduce.SEQUENCE_SUM
PER_TOKEN = (TOKEN_MEAN, SEQUENCE_MEAN, SEQUENCE_SUM)
REDUCTIONS = {"T": PER_TOKEN, "B": (Reduce.MEAN,), "N": (Reduce.MEAN,), "": (Reduce.WHOLE,)}  # axes -> choices


class Table(Mapping[str, V], Generic[V]):
    """A mapping that cannot change, hashes and pickles. `method.loss | {...}` gives a dict for `variant`."""

    def __init__(self, items: Mapping[str, V] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, name: str) -> V:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return self._items | dict(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


@dataclass(frozen=True)
class Term:
    """A part of the loss, or a metric. Per-token parts must say how they reduce; the others have one choice."""

    part: Part
    weight: float | str = 1.0  # a number, or the name of a scalar tensor (an adaptive coefficient, a schedule)
    reduce: Reduce | None = None
    over: str = MAIN  # the stream it reads

    def __init__(
        self, part: Part | Function, weight: float | str = 1.0, reduce: Reduce | None = None, over: str = MAIN
    ) -> None:
        for name, value in (("part", as_part(part)), ("weight", weight), ("reduce", reduce), ("over", over)):
            object.__setattr__(self, name, value)

    @property
    def reduction(self) -> Reduce:
        return self.reduce or (Reduce.WHOLE if self.part.axes == "" else Reduce.MEAN)

    @property
    def whole(self) -> bool:
        return self.reduction is Reduce.WHOLE

    @property
    def needs(self) -> frozenset[str]:
        return self.part.needs | ({self.weight} if isinstance(self.weight, str) else set())


@dataclass(frozen=True)
class Derived:
    """A tensor that the method computes, without gradient and on a whole batch.

    each="batch": before the passes. each="step": before every optimiser step, from the policy as it is then.
    each="end": after the passes; the batch sees the value of the batch before (at first the setting `start`).
    """

    part: Part
    each: str = "batch"
    over: str | tuple[str, ...] = MAIN  # a scalar is seen by every stream

    def __init__(self, part: Part | Function, each: str = "batch", over: str | tuple[str, ...] = MAIN) -> None:
        for name, value in (("part", as_part(part)), ("each", each), ("over", over)):
            object.__setattr__(self, name, value)

    @property
    def when(self) -> When:
        return {"batch": When.ONCE, "step": When.STEP, "end": When.END}[self.each]

    @property
    def streams(self) -> tuple[str, ...]:
        return (self.over,) if isinstance(self.over, str) else self.over

    @property
    def start(self) -> float:
        """The value of an each="end" tensor before the first batch has ended."""
        return float(dict(self.part.settings)["start"])


@dataclass(frozen=True)
class Sampling:
    """Who writes answers to the prompts, and how many."""

    samples: int = 1
    mix: tuple[tuple[str, float], ...] = (("policy", 1.0),)  # geometric mixture, renormalised at every token
    temperature: float = 1.0  # 0 is greedy
    train: bool = True  # False: an opponent or a baseline; seen by the derived tensors, not by the loss


@dataclass(frozen=True)
class Stream:
    """Where the rows of a batch come from: a kind of record (a name or a Kind), and for prompts who answers them."""

    records: str | Kind
    sampling: tuple[Sampling, ...] = ()
    view: Callable[[Sequence[Any]], Sequence[Record]] | None = None  # makes this stream of the main stream's records
    keep: Callable[[Sequence[Episode]], bool] | None = None  # groups of answers to train on; others are sampled anew

    @property
    def kind(self) -> Kind:
        """What its records are, and which tensors they bring."""
        return self.records if isinstance(self.records, Kind) else kind(self.records)


@dataclass(frozen=True)
class Average:
    """A model that follows another: theta <- decay * theta + (1 - decay) * source, after every optimiser step."""

    of: str
    decay: float


@dataclass(frozen=True, kw_only=True)
class Method:
    """Streams of data, derived tensors and named loss terms. A variant is `variant(parent, ...)`.

    A model is trained if a loss term reads one of its LIVE tensors. Raises PartError for whatever can be known
    to be wrong without data, so a wrong method fails when its file is imported.
    """

    name: str
    streams: Table[Stream]
    loss: Table[Term]  # named, so that settings, metrics and variants can point at a term
    derived: Table[Derived] = field(default_factory=Table)
    averages: Table[Average] = field(default_factory=Table)
    fields: Table[Field] = field(default_factory=Table)  # model outputs that the shared vocabulary lacks
    metrics: Table[Term] = field(default_factory=Table)  # like loss terms, without gradient and without new forwards
    passes: int = 1
    minibatches: int = 1
    until: str | None = None  # a scalar derived each step; when it is not 0 the remaining passes are skipped

    def __init__(
        self,
        *,
        name: str,
        streams: Stream | Mapping[str, Stream],
        loss: Term | Mapping[str, Term],
        derived: Mapping[str, Derived | Part | Function] | None = None,
        averages: Mapping[str, Average] | None = None,
        fields: Mapping[str, Field] | None = None,
        metrics: Mapping[str, Term | Part | Function] | None = None,
        passes: int = 1,
        minibatches: int = 1,
        until: str | None = None,
    ) -> None:
        made: dict[str, Any] = {
            "name": name,
            "streams": Table({MAIN: streams} if isinstance(streams, Stream) else streams),
            "loss": Table({"loss": loss} if isinstance(loss, Term) else loss),
            "derived": Table({k: d if isinstance(d, Derived) else Derived(d) for k, d in (derived or {}).items()}),
            "averages": Table(averages),
            "fields": Table(fields),
            "metrics": Table({k: m if isinstance(m, Term) else Term(m) for k, m in (metrics or {}).items()}),
            "passes": passes,
            "minibatches": minibatches,
            "until": until,
        }
        for key, value in made.items():
            object.__setattr__(self, key, value)
        _check(self)

    @property
    def reads(self) -> frozenset[str]:
        """Every tensor that some part of it names."""
        return frozenset().union(*(root.needs for _, root, _ in _slots(self)))

    @property
    def columns(self) -> dict[str, str]:
        """Tensors that the method reads and that may be columns of its data, with their axes."""
        brought = BY_TRAINER.union(*(s.kind.tensors for s in self.streams.values()), self.derived)
        known = self.vocabulary
        return {n: known[n].axes for n in sorted(self.reads - brought) if known[n].column or known[n].source is None}

    @property
    def vocabulary(self) -> dict[str, Field]:
        """All names that its parts may read."""
        derived = {k: Field(d.part.axes, d.part.summary) for k, d in self.derived.items()}
        return {**FIELDS, **self.fields, **derived}


def variant(parent: Method, **changes: Any) -> Method:
    """The parent with a difference: `variant(DPO, name="ipo", loss=...)` takes what Method takes."""
    return replace(parent, **changes)


def without(table: Mapping[str, V], *names: str) -> dict[str, V]:
    """What is left of a table: variant(GRPO, name="mine", loss=without(GRPO.loss, "kl"))."""
    return {k: v for k, v in table.items() if k not in names}


def _check(method: Method) -> None:
    for name, stream in method.streams.items():
        if isinstance(stream.records, str) and stream.records not in kinds():
            raise PartError(
                f"{method.name}: stream {name!r} reads unknown records {stream.records!r}"
                f"{suggestion(stream.records, kinds())}; records are {', '.join(kinds())}"
            )
    for name, derived in method.derived.items():
        _check_derived(method, name, derived)
    for slot, root, streams in _slots(method):
        _check_streams(method, slot, root, streams)
        _check_state(method, slot, root)
        for p in root.walk():
            _check_binds(method, slot, p)
    for slot, term in [*method.loss.items(), *method.metrics.items()]:
        _check_reduction(method, slot, term)
        _check_weight(method, slot, term)
    _check_passes(method)


def _slots(method: Method) -> list[tuple[str, Part, tuple[str, ...]]]:
    derived = [(f"derived {k!r}", d.part, d.streams) for k, d in method.derived.items()]
    loss = [(f"loss {k!r}", t.part, (t.over,)) for k, t in method.loss.items()]
    metrics = [(f"metric {k!r}", t.part, (t.over,)) for k, t in method.metrics.items()]
    return derived + loss + metrics


def _check_derived(method: Method, name: str, derived: Derived) -> None:
    if name in FIELDS and FIELDS[name].axes != derived.part.axes:
        raise PartError(
            f"{method.name}: {name} is [{FIELDS[name].axes}] in the vocabulary, "
            f"but {derived.part.where} returns [{derived.part.axes}]"
        )
    if derived.each not in ("batch", "step", "end"):
        raise PartError(f"{method.name}: derived {name!r}: each is 'batch', 'step' or 'end', not {derived.each!r}")
    if derived.each == "end" and (derived.part.axes != "" or "start" not in dict(derived.part.settings)):
        raise PartError(
            f"{method.name}: derived {name!r} is made after the passes, so the first batch has no value yet: "
            f"{derived.part.where} must return a Scalar and have a setting 'start'"
        )


def _check_streams(method: Method, slot: str, root: Part, streams: tuple[str, ...]) -> None:
    for stream in streams:
        if stream not in method.streams:
            known = ", ".join(method.streams)
            raise PartError(
                f"{method.name}: {slot} reads stream {stream!r}{suggestion(stream, method.streams)}; streams {known}"
            )
    if (root.stateful or root.axes == "") and len(streams) > 1:
        why = "has state" if root.stateful else "returns a Scalar"
        raise PartError(f"{method.name}: {slot} {why} and reads {streams}: one stream only, or give each its own")


def _check_state(method: Method, slot: str, root: Part) -> None:
    for p in root.walk():
        if p.stateful and not (p is root and slot.startswith("derived")):
            raise PartError(
                f"{method.name}: {p.name} has state, so it must be a derived tensor of its own "
                "(here it would be updated by every micro-batch)"
            )


def _check_binds(method: Method, slot: str, p: Part) -> None:
    known = method.vocabulary
    for parameter, filler in p.binds:
        if isinstance(filler, str) and filler not in known:
            remedy = f"If it is a setting, put it after '*'; else fill it: part({p.name}, {filler}=...), " + (
                f"or derive it: derived={{{filler!r}: ...}}"
            )
            if filler in ("chosen", "rejected"):
                remedy = f"Use pairwise({p.name}, score)"
            raise PartError(
                f"{method.name}: {slot}, {p.where}: unknown tensor {filler!r}{suggestion(filler, known)}. {remedy}"
            )
        axes = filler.axes if isinstance(filler, Part) else known[filler].axes
        if p.expects.get(parameter, axes) != axes:
            label = filler.name if isinstance(filler, Part) else filler
            raise PartError(
                f"{method.name}: {slot}, {p.where}: {parameter} is [{p.expects[parameter]}], but {label} is [{axes}]"
            )


def _check_reduction(method: Method, slot: str, term: Term) -> None:
    axes = term.part.axes
    if axes not in REDUCTIONS:
        raise PartError(
            f"{method.name}: {slot!r}: {term.part.name} returns [{axes}]: a term must return PerToken, PerRow, "
            "PerPair or Scalar"
        )
    if term.reduction not in REDUCTIONS[axes]:
        choice = "TOKEN_MEAN, SEQUENCE_MEAN or SEQUENCE_SUM" if axes == "T" else "left out"
        raise PartError(f"{method.name}: {slot!r}: {term.part.name} returns [{axes}]: reduce= must be {choice}")


def _check_weight(method: Method, slot: str, term: Term) -> None:
    known, weight = method.vocabulary, term.weight
    if not isinstance(weight, str):
        return
    if weight not in known:
        raise PartError(
            f"{method.name}: loss {slot!r} is weighed by unknown tensor {weight!r}{suggestion(weight, known)}. Give a "
            f"number, or derive it: derived={{{weight!r}: ...}}"
        )
    if known[weight].axes != "":
        raise PartError(
            f"{method.name}: the weight of loss {slot!r} must be one number, but {weight} is [{known[weight].axes}]"
        )


def _check_passes(method: Method) -> None:
    for key, number in (("passes", method.passes), ("minibatches", method.minibatches)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise PartError(f"{method.name}: {key} must be a whole number of at least 1, not {number!r}")
    if method.until is None:
        return
    if method.until not in method.vocabulary:
        close = suggestion(method.until, method.derived)
        raise PartError(f"{method.name}: until: unknown tensor {method.until!r}{close}")
    derived = method.derived.get(method.until)
    if derived is None or derived.when is not When.STEP or derived.part.axes != "":
        raise PartError(f"{method.name}: until must be one number that is derived each='step'; {method.until!r} is not")
