"""How far annotators agree beyond chance, and how reliable each of them is: the numbers of a feedback file."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from statistics import median
from typing import Any

from posttrain.data.feedback.act import Act
from posttrain.data.feedback.dawid_skene import dawid_skene
from posttrain.data.feedback.votes import Vote, answered, first_shown, right
from posttrain.evaluation import agreement as statistics


def question(own: Sequence[Vote], resamples: int) -> dict[str, Any]:
    """Return the agreement on one question, with 95% intervals; only counts where no item was judged by two."""
    units: dict[Hashable, list[Hashable]] = {}
    for item, _, label in own:
        units.setdefault(item, []).append(label)
    values, counts = statistics.table(list(units.values()))
    found: dict[str, Any] = {"judgements": len(own), "items": len(units), "judged_by_several": len(counts)}
    if not len(counts):
        return found
    numbers = all(isinstance(x, float) for x in values)
    metrics: tuple[Any, ...] = ("interval", "ordinal") if numbers else ("nominal",)
    for metric in metrics:
        value = statistics.alpha(values, counts, metric)
        low, high = statistics.bootstrap(counts, partial(statistics.alpha, values, metric=metric), resamples=resamples)
        found[f"alpha_{metric}"] = _known([value, low, high])
    return found | {"agreement": statistics.agreement(counts), "ac1": _known([statistics.ac1(counts)])[0]}


def estimated_accuracy(asked: dict[str, list[Vote]]) -> dict[Hashable, float]:
    """Return how often each annotator gives the true label, by Dawid and Skene, on the question with most judgements.

    Scores have no true class, so that ratings say nothing here, nor do items that one annotator judged alone.
    """
    classes = [_shared(own) for own in asked.values() if not any(isinstance(label, float) for *_, label in own)]
    classes = [own for own in classes if own]
    return dawid_skene(max(classes, key=len)).accuracy() if classes else {}


def _shared(votes: list[Vote]) -> list[Vote]:
    """The votes on items that several annotators judged."""
    who: dict[Hashable, set[Hashable]] = {}
    for item, annotator, _ in votes:
        who.setdefault(item, set()).add(annotator)
    return [vote for vote in votes if len(who[vote[0]]) > 1]


def _known(values: Iterable[float]) -> list[float | None]:
    return [x if x == x else None for x in values]


def annotator(name: str, acts: Sequence[Act], asked: dict[str, list[Vote]]) -> dict[str, Any]:
    """Return the numbers of one annotator: shares are None where nothing is known."""
    own = [act for act in acts if act.annotator == name]
    return {
        "judgements": len(own),
        "agrees_with_others": _with_others(name, asked),
        "first_shown_preferred": _share(first_shown(act) for act in own),
        "checks_passed": _share(right(act) for act in own),
        "repeats_itself": _share(_same(act, acts) for act in own if act.repeats),
        "seconds": median(times) if (times := [a.seconds for a in own if a.seconds is not None]) else None,
    }


def _with_others(name: str, asked: dict[str, list[Vote]]) -> float | None:
    """The share of pairs of this annotator and another one who say the same about an item."""
    same: list[bool] = []
    for own in asked.values():
        said: dict[Hashable, list[tuple[str, Hashable]]] = {}
        for item, who, label in own:
            said.setdefault(item, []).append((who, label))
        for labels in said.values():
            mine = [label for who, label in labels if who == name]
            same += [a == b for a in mine for who, b in labels if who != name]
    return _share(same)


def _same(act: Act, acts: Sequence[Act]) -> bool | None:
    first = next((a for a in acts if a.id == act.repeats), None)
    return None if first is None else list(answered(act, act.judgement)) == list(answered(first, first.judgement))


def _share(values: Iterable[bool | None]) -> float | None:
    known = [x for x in values if x is not None]
    return sum(known) / len(known) if known else None
