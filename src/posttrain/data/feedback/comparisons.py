"""What acts say about the order of answers: orders in tiers, and comparisons of two answers.

Preferences, rankings, ratings and edits all become orders. An edit stands before the answer that was edited; where the
same annotator preferred that answer, before the whole order: edited > chosen > rejected (Llama 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from posttrain.data.feedback.act import Act, canonical
from posttrain.data.feedback.judgements import Edit, Preference, Ranking, Rating

Said = Any  # text or messages


@dataclass(frozen=True)
class Order:
    """Answers to one prompt in tiers, the best first.

    `tied`: answers of one tier are equally good; else nothing is known about their order. `scores`: one for each tier,
    where they come from ratings. `strength`, `confidence`: as in Preference.
    """

    act: Act
    tiers: tuple[tuple[Said, ...], ...]
    tied: bool = False
    scores: tuple[float, ...] = ()
    strength: float | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Two answers to one prompt, the preferred one first, or (`tie`) equally good ones.

    `margin`: how much better the first is. `agreement`: probability, or share of annotators, that the first is better.
    """

    act: Act
    first: Said
    second: Said
    tie: bool = False
    margin: float | None = None
    agreement: float | None = None


def orders(acts: Sequence[Act], attribute: str = "") -> list[Order]:
    """Return what every act, or every group of ratings by one annotator, says about the order of answers."""
    found = [*_judged(acts, attribute), *_rated(acts, attribute)]
    return found if attribute else _with_edits(found, acts)


def comparisons(acts: Sequence[Act], attribute: str = "", gap: float = 1.0) -> list[Comparison]:
    """Return every two answers whose order is known. Ratings must differ by at least `gap`; equal ones say nothing."""
    return [c for order in orders(acts, attribute) for c in _compared(order, gap)]


def _judged(acts: Iterable[Act], attribute: str) -> Iterator[Order]:
    for act in acts:
        said = [a.said for a in act.answers]
        match act.judgement:
            case Preference(preferred=None) as j if j.attribute == attribute:
                yield Order(act, (tuple(said),), tied=True)
            case Preference(preferred=int(best)) as j if j.attribute == attribute:
                rest = tuple(x for i, x in enumerate(said) if i != best)
                yield Order(act, ((said[best],), rest), strength=j.strength, confidence=j.confidence)
            case Ranking() as j if j.attribute == attribute:
                yield Order(act, tuple(tuple(said[i] for i in tier) for tier in j.tiers), tied=True)


def _rated(acts: Iterable[Act], attribute: str) -> Iterator[Order]:
    """Ratings are compared only where one annotator gave them, to answers to the same prompt."""
    given: dict[tuple[str, str], dict[str, tuple[Act, Said, float]]] = {}
    for act in acts:
        if isinstance(act.judgement, Rating) and attribute in act.judgement.scores:
            place = act.judgement.answer
            rated = given.setdefault((act.annotator, canonical(act.prompt)), {})
            rated[act.key(place)] = act, act.answers[place].said, act.judgement.scores[attribute]
    for rated in given.values():
        scores = sorted({score for *_, score in rated.values()}, reverse=True)
        tiers = tuple(tuple(said for _, said, score in rated.values() if score == own) for own in scores)
        if len(rated) > 1:
            yield Order(next(iter(rated.values()))[0], tiers, scores=tuple(scores))


def _with_edits(found: list[Order], acts: Iterable[Act]) -> list[Order]:
    made = list(found)
    for act in acts:
        if not isinstance(act.judgement, Edit) or act.judgement.edited == act.answers[act.judgement.answer].said:
            continue
        original = act.answers[act.judgement.answer].said
        edited = (act.judgement.edited,)
        own = [i for i, o in enumerate(made) if _same(o.act, act) and len(o.tiers) > 1 and o.tiers[0] == (original,)]
        if own and not made[own[0]].scores:
            made[own[0]] = replace(made[own[0]], tiers=(edited, *made[own[0]].tiers), strength=None)
        else:
            made.append(Order(act, (edited, (original,))))
    return made


def _same(one: Act, other: Act) -> bool:
    return one.annotator == other.annotator and canonical(one.prompt) == canonical(other.prompt)


def _compared(order: Order, gap: float) -> Iterator[Comparison]:
    if order.tied:
        couples = (two for tier in order.tiers for two in combinations(tier, 2))
        yield from (Comparison(order.act, one, other, tie=True) for one, other in couples)
    for i, j in combinations(range(len(order.tiers)), 2):
        margin = order.scores[i] - order.scores[j] if order.scores else order.strength
        if order.scores and margin is not None and margin < gap:
            continue
        for one in order.tiers[i]:
            for other in order.tiers[j]:
                yield Comparison(order.act, one, other, False, margin, order.confidence)


def swapped(c: Comparison) -> Comparison:
    """Return the comparison with its answers in the other order, the preference with them."""
    return replace(c, first=c.second, second=c.first)
