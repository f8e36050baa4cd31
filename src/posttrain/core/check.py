"""Checks of a method that need no data, so that a wrong method fails when its file is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from posttrain.core.kinds import kinds
from posttrain.core.parts import Part, PartError
from posttrain.core.vocabulary import FIELDS, Field, When
from posttrain.errors import suggestion


class Checked(Protocol):
    """The attributes of a Method that `check` reads."""

    @property
    def name(self) -> str:
        """Name of the method, for messages."""

    @property
    def streams(self) -> Mapping[str, Any]:
        """Streams by name."""

    @property
    def loss(self) -> Mapping[str, Any]:
        """Loss terms by name."""

    @property
    def derived(self) -> Mapping[str, Any]:
        """Derived tensors by name."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Metrics by name."""

    @property
    def passes(self) -> int:
        """Number of passes over each batch."""

    @property
    def minibatches(self) -> int:
        """Number of minibatches of each pass."""

    @property
    def until(self) -> str | None:
        """Name of the scalar that ends the passes; None if nothing does."""

    @property
    def vocabulary(self) -> dict[str, Field]:
        """All tensor names that its parts may read."""

    def slots(self) -> list[tuple[str, Part, tuple[str, ...]]]:
        """List every part: the name of its slot, the part, and the streams that it reads."""


def check(method: Checked) -> None:
    """Raise PartError for the first error in a method."""
    for name, stream in method.streams.items():
        _check_decoders(method, name, stream)
        if isinstance(stream.records, str) and stream.records not in kinds():
            raise PartError(
                f"{method.name}: stream {name!r} reads unknown records {stream.records!r}"
                f"{suggestion(stream.records, kinds())}; records are {', '.join(kinds())}"
            )
    for name, derived in method.derived.items():
        _check_derived(method, name, derived)
    for slot, root, streams in method.slots():
        _check_streams(method, slot, root, streams)
        _check_state(method, slot, root)
        for p in root.walk():
            _check_binds(method, slot, p)
    for slot, term in [*method.loss.items(), *method.metrics.items()]:
        _check_reduction(method, slot, term)
        _check_weight(method, slot, term)
    _check_passes(method)


def _check_decoders(method: Checked, name: str, stream: Any) -> None:
    """A loss differentiates the log-probs of a model, which are not those of what a decoder draws.

    It may differentiate what it makes of the logits, where it compares that with the log-probs that were recorded.
    """
    terms = [t.needs for t in method.loss.values() if t.over == name and {"logp", "logits"} & t.needs]
    if terms and all("rollout_logp" in needs and "logp" not in needs for needs in terms):
        return
    for sampling in stream.sampling:
        if sampling.decoder is not None and sampling.train:
            raise PartError(
                f"{method.name}: stream {name!r} trains on answers that the decoder {sampling.decoder.name} draws, and "
                "no loss differentiates its distribution; write Sampling(decoder=..., train=False) for an opponent, or "
                "collect the answers in a procedure and imitate them"
            )


def _check_derived(method: Checked, name: str, derived: Any) -> None:
    if name in FIELDS and FIELDS[name].axes != derived.part.axes:
        raise PartError(
            f"{method.name}: {name} is [{FIELDS[name].axes}] in the vocabulary, "
            f"but {derived.part.where} returns [{derived.part.axes}]"
        )
    if derived.each not in ("batch", "step", "end"):
        raise PartError(f"{method.name}: derived {name!r}: each is 'batch', 'step' or 'end', not {derived.each!r}")
    if derived.each == "end" and (derived.part.axes != "" or "start" not in dict(derived.part.settings)):
        raise PartError(
            f"{method.name}: derived {name!r} is computed after the passes, so the first batch has no value yet: "
            f"{derived.part.where} must return a Scalar and have a setting 'start'"
        )


def _check_streams(method: Checked, slot: str, root: Part, streams: tuple[str, ...]) -> None:
    for stream in streams:
        if stream not in method.streams:
            known = ", ".join(method.streams)
            raise PartError(
                f"{method.name}: {slot} reads stream {stream!r}{suggestion(stream, method.streams)}; streams {known}"
            )
    if (root.stateful or root.axes == "") and len(streams) > 1:
        why = "has state" if root.stateful else "returns a Scalar"
        raise PartError(f"{method.name}: {slot} {why} and reads {streams}: one stream only, or give each its own")


def _check_state(method: Checked, slot: str, root: Part) -> None:
    for p in root.walk():
        if p.stateful and not (p is root and slot.startswith("derived")):
            raise PartError(
                f"{method.name}: {p.name} has state, so it must be a derived tensor of its own "
                "(here it would be updated by every micro-batch)"
            )


def _check_binds(method: Checked, slot: str, p: Part) -> None:
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


def _check_reduction(method: Checked, slot: str, term: Any) -> None:
    axes = term.part.axes
    if not term.choices:
        raise PartError(
            f"{method.name}: {slot!r}: {term.part.name} returns [{axes}]: a term must return PerToken, PerRow, "
            "PerPair or Scalar"
        )
    if term.reduction not in term.choices:
        choice = "TOKEN_MEAN, SEQUENCE_MEAN or SEQUENCE_SUM" if axes == "T" else "left out"
        raise PartError(f"{method.name}: {slot!r}: {term.part.name} returns [{axes}]: reduce= must be {choice}")


def _check_weight(method: Checked, slot: str, term: Any) -> None:
    known, weight = method.vocabulary, term.weight
    if not isinstance(weight, str):
        return
    if weight not in known:
        raise PartError(
            f"{method.name}: loss {slot!r} is weighted by unknown tensor {weight!r}{suggestion(weight, known)}. Give a "
            f"number, or derive it: derived={{{weight!r}: ...}}"
        )
    if known[weight].axes != "":
        raise PartError(
            f"{method.name}: the weight of loss {slot!r} must be one number, but {weight} is [{known[weight].axes}]"
        )


def _check_passes(method: Checked) -> None:
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
