"""What the judges of a feedback file prefer besides what people prefer: for `posttrain data agreement`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from posttrain.data.feedback.act import canonical
from posttrain.data.feedback.judgements import Preference
from posttrain.evaluation.judge_bias import Comparison, Interval, biases

if TYPE_CHECKING:
    from posttrain.data.feedback.act import Act

MODEL = "model"  # role of an annotator that is a model; the others are people


def judge_biases(name: str, acts: Sequence[Act]) -> dict[str, Interval]:
    """Return the biases of one annotator of role model, against what most people say of the same two answers."""
    compared = [(act, _item(act)) for act in acts if _compares(act)]
    votes: dict[Hashable, Counter[str]] = {}
    for act, item in compared:
        if act.role != MODEL:
            votes.setdefault(item, Counter())[_preferred(act)] += 1
    own = [
        (act, votes[item]) for act, item in compared if act.annotator == name and act.role == MODEL and item in votes
    ]
    return biases(list(_comparisons(own, name)))


def _comparisons(acts: Sequence[tuple[Act, Counter[str]]], name: str) -> Iterator[Comparison]:
    """Yield each comparison in which more people prefer one answer than the other."""
    for act, votes in acts:
        keys = [act.key(0), act.key(1)]
        if votes[keys[0]] == votes[keys[1]]:
            continue
        words = [len(key.split()) for key in keys]
        mine = [place for place in (0, 1) if act.answers[place].source.get("model") == name]
        yield Comparison(
            people=int(votes[keys[1]] > votes[keys[0]]),
            judge=keys.index(_preferred(act)),
            longer=None if words[0] == words[1] else int(words[1] > words[0]),
            first=act.shown[0] if act.shown else None,
            own=mine[0] if len(mine) == 1 else None,
        )


def _compares(act: Act) -> bool:
    """Whether an act prefers one of two answers as a whole, and counts."""
    j = act.judgement
    whole = isinstance(j, Preference) and j.preferred is not None and not j.attribute
    return whole and len(act.answers) == 2 and not act.excluded and not act.repeats


def _item(act: Act) -> Hashable:
    return canonical(act.prompt), *sorted((act.key(0), act.key(1)))


def _preferred(act: Act) -> str:
    assert isinstance(act.judgement, Preference)
    assert act.judgement.preferred is not None
    return act.key(act.judgement.preferred)
