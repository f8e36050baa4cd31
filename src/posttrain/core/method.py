"""Methods: a published algorithm as data, a frozen record that names pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from posttrain.core.check import check
from posttrain.core.decoder import Decoder
from posttrain.core.guide import Guide
from posttrain.core.kinds import Kind, kind
from posttrain.core.parts import Function, Part, as_part
from posttrain.core.rate import HEAD, Rate
from posttrain.core.vocabulary import BY_TRAINER, FIELDS, Field, When
from posttrain.core.weights import Average, StepMerging
from posttrain.records import Episode, Record

V = TypeVar("V")
MAIN = "main"


class Reduce(Enum):
    """How the values of a part are reduced to one number. The counts are those of the whole optimiser step."""

    TOKEN_MEAN = "mean over trained tokens"  # noqa: S105 (not a password)
    SEQUENCE_MEAN = "mean over rows of the mean over their tokens"
    SEQUENCE_SUM = "mean over rows of the sum over their tokens"
    MEAN = "mean over rows or pairs"
    WHOLE = "one number for the whole minibatch"


TOKEN_MEAN, SEQUENCE_MEAN, SEQUENCE_SUM = Reduce.TOKEN_MEAN, Reduce.SEQUENCE_MEAN, Reduce.SEQUENCE_SUM
PER_TOKEN = (TOKEN_MEAN, SEQUENCE_MEAN, SEQUENCE_SUM)
REDUCTIONS = {"T": PER_TOKEN, "B": (Reduce.MEAN,), "N": (Reduce.MEAN,), "": (Reduce.WHOLE,)}  # axes -> choices


class Table(Mapping[str, V], Generic[V]):
    """An immutable mapping that hashes and pickles. `method.loss | {...}` gives a dict for `variant`."""

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
    """A term of the loss, or a metric. Per-token parts must name their reduction; the others have only one."""

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
        """The given reduction, or the only one that the axes of the part allow."""
        return self.reduce or (Reduce.WHOLE if self.part.axes == "" else Reduce.MEAN)

    @property
    def choices(self) -> tuple[Reduce, ...]:
        """The reductions that the axes of the part allow; empty if no term can have these axes."""
        return REDUCTIONS.get(self.part.axes, ())

    @property
    def whole(self) -> bool:
        """Whether the term is one number for the whole minibatch."""
        return self.reduction is Reduce.WHOLE

    @property
    def needs(self) -> frozenset[str]:
        """Names of all tensors that the term reads, its weight included."""
        return self.part.needs | ({self.weight} if isinstance(self.weight, str) else set())


@dataclass(frozen=True)
class Derived:
    """A tensor that the method computes on a whole batch, without gradient.

    each="batch": before the passes. each="step": before every optimiser step, with the current policy.
    each="end": after the passes; a batch reads the value of the previous batch (the first one, the setting `start`).
    """

    part: Part
    each: str = "batch"
    over: str | tuple[str, ...] = MAIN  # every stream can read a scalar

    def __init__(self, part: Part | Function, each: str = "batch", over: str | tuple[str, ...] = MAIN) -> None:
        for name, value in (("part", as_part(part)), ("each", each), ("over", over)):
            object.__setattr__(self, name, value)

    @property
    def when(self) -> When:
        """The time at which it is computed."""
        return {"batch": When.ONCE, "step": When.STEP, "end": When.END}[self.each]

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that it is computed over."""
        return (self.over,) if isinstance(self.over, str) else self.over

    @property
    def start(self) -> float:
        """The value that the first batch reads of an each="end" tensor."""
        return float(dict(self.part.settings)["start"])


@dataclass(frozen=True)
class Sampling:
    """How answers to the prompts are sampled: by which mixture of models, how many, and at which temperature."""

    samples: int = 1
    mix: tuple[tuple[str, float], ...] = (("policy", 1.0),)  # geometric mixture, renormalised at every token
    temperature: float = 1.0  # 0 is greedy
    train: bool = True  # False: an opponent or a baseline, which derived tensors read and the loss does not
    decoder: Decoder | None = None  # draws the tokens, in place of the mixture
    guide: Guide | None = None  # a second writer of some of the answers

    @property
    def drawn_from(self) -> tuple[tuple[str, float], ...] | Decoder:
        """What a token is drawn from: a decoder, or the mixture of models."""
        return self.mix if self.decoder is None else self.decoder

    @property
    def roles(self) -> tuple[str, ...]:
        """The models of all who write."""
        own = tuple(role for role, _ in self.mix) if self.decoder is None else self.decoder.roles
        return own + tuple(role for role, _ in (self.guide and self.guide.by) or ())


@dataclass(frozen=True)
class Stream:
    """A source of rows: a kind of record (a name or a Kind) and, for prompts, how the answers to them are sampled."""

    records: str | Kind
    sampling: tuple[Sampling, ...] = ()
    view: Callable[[Sequence[Any]], Sequence[Record]] | None = None  # computes its records from the main stream's
    keep: Callable[[Sequence[Episode]], bool] | None = None  # groups of answers to train on; others are replaced
    choose: Callable[[Sequence[Episode]], Sequence[Episode]] | None = None  # the scored answers of a group to train on
    least: int = 1  # records that a batch needs, because it compares them with each other

    @property
    def kind(self) -> Kind:
        """The kind of its records."""
        return self.records if isinstance(self.records, Kind) else kind(self.records)


@dataclass(frozen=True, kw_only=True)
class Method:
    """Streams of data, derived tensors and named loss terms. A variant is `variant(parent, ...)`.

    A model is trained if a loss term reads one of its LIVE tensors. Raises PartError for every error that can be
    detected without data, so that a wrong method fails when its file is imported.
    """

    name: str
    streams: Table[Stream]
    loss: Table[Term]  # named, so that settings, metrics and variants can point at a term
    derived: Table[Derived] = field(default_factory=Table)
    averages: Table[Average] = field(default_factory=Table)
    merged_steps: Table[StepMerging] = field(default_factory=Table)  # of models that are trained
    fields: Table[Field] = field(default_factory=Table)  # model outputs that the shared vocabulary lacks
    metrics: Table[Term] = field(default_factory=Table)  # like loss terms, without gradient and without extra forwards
    passes: int = 1
    minibatches: int = 1
    until: str | None = None  # a scalar derived each step; when it is not 0 the remaining passes are skipped
    rates: Table[Rate] = field(default_factory=Table)  # default learning rates of roles that differ from `rate`
    decoder: str | None = None  # by which the trained model answers; saved with it, with the models that it reads

    def __init__(
        self,
        *,
        name: str,
        streams: Stream | Mapping[str, Stream],
        loss: Term | Mapping[str, Term],
        derived: Mapping[str, Derived | Part | Function] | None = None,
        averages: Mapping[str, Average] | None = None,
        merged_steps: Mapping[str, StepMerging] | None = None,
        fields: Mapping[str, Field] | None = None,
        metrics: Mapping[str, Term | Part | Function] | None = None,
        passes: int = 1,
        minibatches: int = 1,
        until: str | None = None,
        rates: Mapping[str, Rate] | None = None,
        decoder: str | None = None,
    ) -> None:
        attributes: dict[str, Any] = {
            "name": name,
            "streams": Table({MAIN: streams} if isinstance(streams, Stream) else streams),
            "loss": Table({"loss": loss} if isinstance(loss, Term) else loss),
            "derived": Table({k: d if isinstance(d, Derived) else Derived(d) for k, d in (derived or {}).items()}),
            "averages": Table(averages),
            "merged_steps": Table(merged_steps),
            "fields": Table(fields),
            "metrics": Table({k: m if isinstance(m, Term) else Term(m) for k, m in (metrics or {}).items()}),
            "passes": passes,
            "minibatches": minibatches,
            "until": until,
            "rates": Table(rates),
            "decoder": decoder,
        }
        for key, value in attributes.items():
            object.__setattr__(self, key, value)
        check(self)

    @property
    def is_surrogate(self) -> bool:
        """Whether the value of the loss says nothing: only its gradient is that of the expected reward.

        It weights the log-probs of sampled answers by an advantage, which is about 0 on average whatever was learned.
        """
        return bool(self.without_meaning)

    @property
    def without_meaning(self) -> tuple[str, ...]:
        """The metrics whose value says nothing for that reason: the loss, and each of its terms of this kind."""
        sampled = {name: term for name, term in self.loss.items() if self.streams[term.over].kind.sampled}
        terms = tuple(f"loss/{name}" for name, term in sampled.items() if "advantage" in term.needs)
        return ("loss", *terms) if terms else ()

    def rate(self, role: str) -> Rate:
        """Return the default learning rate of a trained role: its own, else that of its kind of records or head."""
        return self.rates.get(role) or (self.streams[MAIN].kind.rate if role == "policy" else HEAD)

    @property
    def reads(self) -> frozenset[str]:
        """Names of all tensors that its parts read."""
        return frozenset().union(*(root.needs for _, root, _ in self.slots()))

    @property
    def least_records(self) -> int:
        """Number of records that a batch needs."""
        return max(stream.least for stream in self.streams.values())

    @property
    def least_answers(self) -> int:
        """Number of trained answers to a prompt that its credit needs."""
        return 1 + any(p.compares for slot, p, _ in self.slots() if not slot.startswith("metric"))

    def slots(self) -> list[tuple[str, Part, tuple[str, ...]]]:
        """List every part: the name of its slot, the part, and the streams that it reads."""
        derived = [(f"derived {k!r}", d.part, d.streams) for k, d in self.derived.items()]
        loss = [(f"loss {k!r}", t.part, (t.over,)) for k, t in self.loss.items()]
        metrics = [(f"metric {k!r}", t.part, (t.over,)) for k, t in self.metrics.items()]
        return derived + loss + metrics

    @property
    def cuts(self) -> list[Part]:
        """The parts that say where its guides begin or end."""
        return [a.guide.cut for s in self.streams.values() for a in s.sampling if a.guide]

    @property
    def columns(self) -> dict[str, str]:
        """Axes of the tensors that the method reads and that may be columns of its data, by name."""
        brought = BY_TRAINER.union(*(s.kind.tensors for s in self.streams.values()), self.derived)
        known = self.vocabulary
        return {n: known[n].axes for n in sorted(self.reads - brought) if known[n].column or known[n].source is None}

    @property
    def vocabulary(self) -> dict[str, Field]:
        """All tensors that its parts may read, by name."""
        derived = {k: Field(d.part.axes, d.part.summary) for k, d in self.derived.items()}
        return {**FIELDS, **self.fields, **derived}


def variant(parent: Method, **changes: Any) -> Method:
    """Return a changed copy of a method: `variant(DPO, name="ipo", loss=...)` takes the arguments of Method."""
    return replace(parent, **changes)


def without(table: Mapping[str, V], *names: str) -> dict[str, V]:
    """Return a table without some entries: variant(GRPO, name="mine", loss=without(GRPO.loss, "kl"))."""
    return {k: v for k, v in table.items() if k not in names}
