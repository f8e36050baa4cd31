"""One record for what several annotators said about the same two answers, or about the same answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from posttrain.data.feedback.act import canonical
from posttrain.data.feedback.comparisons import Comparison, swapped
from posttrain.data.feedback.votes import Vote

Labels = Literal["each", "majority", "dawid_skene", "checked"]
TIE = "tie"
EQUAL: Mapping[str, float] = MappingProxyType({})


def couple(c: Comparison) -> tuple[str, ...]:
    """Return what names the two answers of a comparison, in whatever order: the item that annotators vote on."""
    return canonical(c.act.prompt), *sorted((canonical(c.first), canonical(c.second)))


def vote(c: Comparison) -> Vote:
    """Return a comparison as a vote: 0 for the answer that `couple` names first, 1 for the other, or TIE."""
    return couple(c), c.act.annotator, TIE if c.tie else couple(c).index(canonical(c.first), 1) - 1


def aggregated(found: Sequence[Comparison], labels: Labels, weights: Mapping[str, float] = EQUAL) -> list[Comparison]:
    """Return one comparison of every two answers, in the order that the annotators together give.

    `agreement` is the share of the votes for it, or by dawid_skene its probability; a vote for a tie counts half for
    either. Where both orders are equally likely, or a tie is likelier than either, it is a tie.
    """
    first: dict[tuple[str, ...], Comparison] = {}
    for c in found:
        first.setdefault(couple(c), c)
    shares = shares_of([vote(c) for c in found], labels, weights)
    return [_decided(c, shares[item]) for item, c in first.items()]


def shares_of(
    votes: Sequence[Vote], labels: Labels, weights: Mapping[str, float] = EQUAL
) -> dict[Hashable, dict[Hashable, float]]:
    """Return for each item the share of each label among its votes, or by dawid_skene its probability.

    `weights`: of the votes of each annotator; 1 for one that is not named.
    """
    if labels == "dawid_skene":
        from posttrain.data.feedback.dawid_skene import dawid_skene  # which loads numpy

        return dawid_skene(votes).probabilities()
    shares: dict[Hashable, dict[Hashable, float]] = {}
    for item, who, label in votes:
        own = shares.setdefault(item, {})
        own[label] = own.get(label, 0.0) + weights.get(who, 1.0)
    return {item: {label: n / sum(own.values()) for label, n in own.items()} for item, own in shares.items()}


def _decided(c: Comparison, shares: Mapping[Hashable, float]) -> Comparison:
    one, other, tie = (shares.get(label, 0.0) for label in (0, 1, TIE))
    if (other > one) == (canonical(c.first) == couple(c)[1]):
        c = swapped(c)
    most = max(one, other)
    undecided = one == other or tie > most
    return replace(c, tie=undecided, margin=None, agreement=0.5 if undecided else most + tie / 2)


def agreed(votes: Iterable[Vote], labels: Labels, weights: Mapping[str, float] = EQUAL) -> dict[Hashable, bool]:
    """Return for each item whether most said true; items that are split evenly are left out."""
    shares = shares_of(list(votes), labels, weights)
    known = {item: own.get(True, 0.0) - own.get(False, 0.0) for item, own in shares.items()}
    return {item: gap > 0 for item, gap in known.items() if gap}
