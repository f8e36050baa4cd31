"""The planner: from a method to what is computed when, by which model and in which order, or an error with a remedy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from posttrain.core.method import MAIN, Method, Term
from posttrain.core.vocabulary import BY_TRAINER, FROZEN, LINKS, Source, When
from posttrain.errors import ConfigError, suggestion

STAGE = {
    When.ONCE: "once per batch",
    When.STEP: "once per optimiser step",
    When.LIVE: "with the loss",
    When.END: "after the passes",
}


class PlanError(ConfigError):
    """Raised for a method that cannot be computed from the given data and models."""


@dataclass(frozen=True)
class Plan:
    """All that the trainer and a backend need to know of a method. It pickles, so a worker needs nothing else."""

    method: Method
    trained: tuple[str, ...]  # models that get an optimiser
    loaded: tuple[str, ...]  # all models, sampling included
    forwards: Mapping[tuple[When, str], Mapping[str, Source]]  # (time, stream) -> tensor -> model output
    derived: Mapping[When, tuple[tuple[str, str], ...]]  # time -> (tensor, stream) in order
    terms: Mapping[str, Mapping[str, Term]]  # stream -> its loss terms
    metrics: Mapping[str, Mapping[str, Term]]  # stream -> the metrics that cost no extra forward
    after: Mapping[str, frozenset[str]]  # stream -> tensors read after the batch is cut; the others are dropped
    twins: Mapping[str, Mapping[str, str]]  # stream -> ONCE tensor -> LIVE tensor, equal until the first step
    free: Mapping[str, frozenset[str]]  # stream -> ONCE tensors always equal to their twin: no forward of their own

    def links(self, stream: str) -> frozenset[str]:
        """The tensors ("pairs", "group") whose rows must stay together, because something reads them after the cut."""
        return self.after[stream] & set(LINKS)


def plan(
    method: Method, arrives: Mapping[str, Iterable[str]] | None = None, given: Collection[str] = frozenset()
) -> Plan:
    """Plan a method.

    `arrives`: the tensors that the data of each stream brings (default: those of its records, and the columns that
    nothing else can provide). `given`: roles that the run names a model for. A tensor that arrives needs no model: a
    stored `ref_logp` makes the reference unnecessary. Raises PlanError if a tensor has two sources (it is derived and
    arrives, or it arrives and a model is given for it), and for anything that cannot be computed.
    """
    columns = {n for n in method.columns if method.vocabulary[n].source is None}
    arriving = arrives or {k: s.kind.tensors | columns for k, s in method.streams.items()}
    planner = _Planner(method, arriving, frozenset(given))
    terms = {k: t for k, t in method.loss.items() if t.weight != 0}  # kl.weight=0 needs no reference
    for slot, term in terms.items():
        planner.loss(slot, term)
    if method.until:
        planner.need(method.until, MAIN, "until", When.STEP)
    _check_unread(planner, terms)
    frozen = FROZEN | set(method.averages)
    wanted = [s for (when, _), wants in planner.forwards.items() if when is When.LIVE for s in wants.values()]
    trained = {s.model for s in wanted if s.model not in frozen}
    if not trained:
        raise PlanError(f"{method.name}: no loss term reads a tensor with gradient; logp, value or score is missing")
    _check_weights(method, trained, given)
    metrics = {s: _affordable(planner, s) for s in method.streams}
    twins = {s: _twins(planner, s) for s in method.streams}
    free = {s: _free(planner, s, twins[s]) for s in method.streams}
    for s, names in free.items():
        for n in names:
            del planner.forwards[When.ONCE, s][n]
    return Plan(
        method=method,
        trained=tuple(sorted(trained)),
        loaded=tuple(sorted(_models(planner) | trained)),
        forwards={key: dict(wants) for key, wants in planner.forwards.items() if wants},
        derived={when: tuple(names) for when, names in planner.derived.items()},
        terms={s: {k: t for k, t in terms.items() if t.over == s} for s in method.streams},
        metrics=metrics,
        after={s: frozenset(names) for s, names in planner.after.items()},
        twins=twins,
        free=free,
    )


def _check_weights(method: Method, trained: Collection[str], given: Collection[str]) -> None:
    """Raise PlanError for merged steps of a model without steps, and for a model that an average would replace."""
    if both := sorted(set(method.averages) & set(given)):
        raise PlanError(
            f"{method.name}: {both[0]} is a moving average of {method.averages[both[0]].of}, so models.{both[0]} would "
            "not be read; remove it, or the setting `moving_reference`"
        )
    if alien := sorted(set(method.merged_steps) - set(trained)):
        raise PlanError(
            f"{method.name}: step_merging is of the steps of {alien[0]}, which it does not train; remove it"
        )


class _Planner:
    """Visits the needed tensors depth first; collects the forwards, and the derived tensors in order."""

    def __init__(self, method: Method, arrives: Mapping[str, Iterable[str]], given: frozenset[str]) -> None:
        self.method = method
        self.known = method.vocabulary
        self.given = given
        self.arrives = {s: {*names, *BY_TRAINER} for s, names in arrives.items()}
        self.forwards: dict[tuple[When, str], dict[str, Source]] = defaultdict(dict)
        self.derived: dict[When, list[tuple[str, str]]] = defaultdict(list)
        self.after = {s: {"tokens", "rows", "written", "row_id", *BY_TRAINER} for s in method.streams}
        for s in method.streams:  # model outputs depend on it
            self.after[s] |= {"temperature"} & self.arrives[s]
        self.readers: dict[tuple[str, str], set[When]] = defaultdict(set)  # (ONCE tensor, stream) -> times it is read
        self.open: list[tuple[str, str]] = []  # derived tensors being visited, to find cycles

    def loss(self, slot: str, term: Term) -> None:
        for name in sorted(term.needs):
            self.need(name, term.over, f"loss {slot!r}", When.LIVE)
            if term.whole:  # also without gradient, on the whole minibatch
                self.need(name, term.over, f"loss {slot!r}", When.STEP)

    def need(self, name: str, stream: str, reader: str, time: When) -> None:
        if time > When.ONCE:
            self.after[stream].add(name)
        self._check_one_source(name, stream)
        if name in self.method.derived:
            self.derive(name, stream, reader, time)
        elif name not in self.arrives[stream]:
            self.output(name, stream, reader, time)

    def _check_one_source(self, name: str, stream: str) -> None:
        """Raise PlanError if a tensor that arrives has another source too."""
        if name not in self.arrives[stream]:
            return
        if name in self.method.derived:
            raise PlanError(
                f"{self.method.name}: {name} has two sources: the method derives it, and the data of stream {stream!r} "
                f"brings it; leave the column {name!r} out, or read it under another name"
            )
        source = self.known[name].source
        if source is not None and source.model in self.given:
            raise PlanError(
                f"{self.method.name}: {name} has two sources: it arrives in stream {stream!r} (a column or "
                f"`rewards`), and models.{source.model} is given for it; remove one of the two"
                + (", or let the method read the model's score as model_reward" if name == "reward" else "")
            )

    def output(self, name: str, stream: str, reader: str, time: When) -> None:
        """Add the model output that a tensor is to the forwards of the right time."""
        source, axes = self.known[name].source, self.known[name].axes
        if source is None:
            raise PlanError(
                f"{self.method.name}: {reader} reads {name} [{axes}] ({self.known[name].doc}); nothing provides it in "
                f"stream {stream!r}, whose records are {self.method.streams[stream].kind.name!r} and bring "
                f"{', '.join(sorted(self.arrives[stream]))}. Add a column {name!r} to the data, or "
                f"derived={{{name!r}: part(...)}}"
            )
        moves = source.model not in FROZEN - set(self.method.averages)
        when = source.when if moves or source.when is When.ONCE else time
        if when is When.LIVE and time is When.ONCE:
            twin = replace(source, when=When.ONCE)
            twins = [n for n, f in self.known.items() if f.source == twin]
            raise PlanError(
                f"{self.method.name}: {reader} is computed once per batch but reads {name}, which changes with every "
                f"optimiser step; {f'read {twins[0]} instead, or ' if twins else ''}recompute it each step: "
                "Derived(part(...), each='step')"
            )
        computed = time if when is When.LIVE else when
        if "V" in axes and computed is not When.LIVE:
            raise PlanError(
                f"{self.method.name}: {reader} reads {name}, computed {STAGE[computed]}: [{axes}] would be kept for "
                "all tokens at once; read it in a loss term, or let the model return the per-token number "
                "(a Field with its own Source)"
            )
        if when is When.ONCE:
            self.readers[name, stream].add(time)
        self.forwards[computed, stream][name] = source

    def derive(self, name: str, stream: str, reader: str, time: When) -> None:
        derived = self.method.derived[name]
        if derived.when is When.STEP and time in (When.ONCE, When.END):
            raise PlanError(
                f"{self.method.name}: {reader} is computed {STAGE[time]} but reads {name}, which is derived each step; "
                f"derive {reader} each='step' too"
            )
        if stream not in derived.streams and derived.part.axes != "":
            raise PlanError(
                f"{self.method.name}: {reader} reads {name} [{derived.part.axes}] in stream {stream!r}, but it is "
                f"derived over {derived.streams}; only scalars cross streams: add over={(*derived.streams, stream)!r}"
            )
        for s in derived.streams:
            if (name, s) in self.derived[derived.when]:
                continue
            if (name, s) in self.open:
                if derived.when is When.END:  # it reads the value of the previous batch: no cycle
                    continue
                path = " -> ".join(n for n, _ in self.open)
                raise PlanError(f"{self.method.name}: derived tensors read each other: {path} -> {name}")
            self.open.append((name, s))
            for n in sorted(derived.part.needs):
                self.need(n, s, name, derived.when)
            self.open.pop()
            self.derived[derived.when].append((name, s))


def _check_unread(p: _Planner, terms: Mapping[str, Term]) -> None:
    if len(terms) < len(p.method.loss):  # a term is switched off, so tensors that only it reads are unread
        return
    visited = {n for pairs in p.derived.values() for n, _ in pairs}
    for name in p.method.derived:
        if name not in visited:
            read = {n for t in terms.values() for n in t.part.needs}
            raise PlanError(f"{p.method.name}: derived {name!r} is read by nothing{suggestion(name, read)}; remove it")


def _models(p: _Planner) -> set[str]:
    outputs = {s.model for wants in p.forwards.values() for s in wants.values()}
    followed = {a.of for a in p.method.averages.values()}
    followed |= {role for m in p.method.merged_steps.values() if m.weight for role in (m.tuned, m.base)}
    authors = {m for s in p.method.streams.values() for sampling in s.sampling for m in sampling.roles}
    return outputs | followed | authors


def _affordable(p: _Planner, stream: str) -> dict[str, Term]:
    """Select the metrics whose tensors are computed anyway: scalars once per batch, the others with the loss."""
    derived = {n for names in p.derived.values() for n, s in names if s == stream or p.known[n].axes == ""}
    outputs = p.forwards[When.ONCE, stream]
    before = p.arrives[stream] | {n for n in outputs if When.ONCE in p.readers[n, stream]}
    before |= {n for n in derived if p.method.derived[n].when is not When.STEP}
    running = {s.model for s in p.forwards[When.LIVE, stream].values()}
    heads = {n: f.source for n, f in p.known.items() if f.source and f.source.model in running and "V" not in f.axes}
    heads = {n: s for n, s in heads.items() if s.when is When.LIVE}  # further outputs of a forward that runs anyway
    beside = p.arrives[stream] | derived | set(outputs) | set(heads) | set(p.forwards[When.LIVE, stream])
    chosen = {}
    for name, term in p.method.metrics.items():
        whole = term.part.axes == ""
        ties = term.needs & set(LINKS) - p.after[stream]  # a metric must not decide how the batch is cut
        if term.over == stream and term.needs <= (before if whole else beside) and (whole or not ties):
            chosen[name] = term
            if not whole:
                p.after[stream] |= term.needs
                p.forwards[When.LIVE, stream] |= {n: heads[n] for n in sorted(term.needs & set(heads))}
    return chosen


def _twins(p: _Planner, stream: str) -> dict[str, str]:
    """Map ONCE tensors to the LIVE tensor that they equal before the first optimiser step: old_logp to logp."""
    live = {s: n for n, s in p.forwards[When.LIVE, stream].items()}
    pairs = {n: live.get(replace(s, when=When.LIVE)) for n, s in p.forwards[When.ONCE, stream].items()}
    return {n: twin for n, twin in pairs.items() if twin is not None}


def _free(p: _Planner, stream: str, twins: Mapping[str, str]) -> frozenset[str]:
    """Select the twins that need no forward: with one optimiser step per batch, those that only the loss reads."""
    if p.method.passes * p.method.minibatches > 1:
        return frozenset()
    return frozenset(n for n in twins if p.readers[n, stream] == {When.LIVE})
