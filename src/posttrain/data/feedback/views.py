"""From acts of feedback to the rows of one kind of records: pairs, rankings, ratings, demonstrations or prompts.

Each row keeps where its act stands, an id that derives from the act, the annotator, and the act's `columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from posttrain.data.feedback import judgements as j
from posttrain.data.feedback.act import Act, act_of, canonical
from posttrain.data.feedback.aggregate import EQUAL, Labels, aggregated, agreed
from posttrain.data.feedback.comparisons import comparisons, orders
from posttrain.data.feedback.labellers import weights
from posttrain.data.notices import Notices
from posttrain.errors import DataError

Row = tuple[str, dict[str, Any]]  # where, columns
OWN = frozenset({"annotator", "margin", "agreement", "tie", "chosen_safe", "rejected_safe", "categories"})


@dataclass(frozen=True)
class View:
    """How acts become rows.

    `attribute`: what was judged, "" the answers as a whole. `labels`: whether each judgement is a row, or several on
    one item become one. `gap`: the least difference of two ratings that makes a pair. `ties`: whether ties do.
    `weights`: of annotators, where they were checked.
    """

    attribute: str = ""
    labels: Labels = "each"
    gap: float = 1.0
    ties: bool = False
    weights: Mapping[str, float] = field(default_factory=lambda: EQUAL)
    notices: Notices = field(default_factory=Notices)


def rows(acts: Sequence[Act], kind: str, view: View) -> list[Row]:
    """Return the rows of a kind, which may be none. DataError where no view of this kind exists."""
    if kind not in VIEWS:
        raise DataError(f"a feedback file holds no {kind}; it has {', '.join(VIEWS)}")
    used, make = VIEWS[kind]
    if view.labels == "checked":
        view = replace(view, weights=weights(acts))
    kept = _kept(acts, view.notices)
    for act in kept:
        if not isinstance(act.judgement, (*used, j.Skip)):
            view.notices.add(f"judgements of type {j.type_of(act.judgement)} give no {kind}", act.where)
    return list(make(kept, view))


def read_acts(given: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[list[Act], list[DataError]]:
    """Return the acts of (where, row), one of each id, and what is wrong with the other rows."""
    acts: dict[str, Act] = {}
    errors: list[DataError] = []
    for where, row in given:
        try:
            act = act_of(row, where)
        except DataError as error:
            errors.append(error)
            continue
        first = acts.setdefault(act.id, act)
        if first != act and first.where != where and _content(first) != _content(act):
            errors.append(DataError(f"{where}: the act {act.id!r} is that of {first.where}, but the content differs"))
    return list(acts.values()), errors


def _content(act: Act) -> Any:
    return {name: x for name, x in vars(act).items() if name != "where"}


def _kept(acts: Iterable[Act], notices: Notices) -> list[Act]:
    """The acts that are learned from: not those that are excluded, repeat another one, or check the annotator."""
    kept = []
    for act in acts:
        why = (
            f"are excluded ({act.excluded})" * bool(act.excluded)
            or "repeat another act, which counts" * bool(act.repeats)
            or "check the annotator (expected)" * bool(act.expected)
        )
        if why:
            notices.add(f"acts that {why} are left out", act.where)
        else:
            kept.append(act)
    return kept


def _row(act: Act, n: int, **columns: Any) -> Row:
    known = {name: x for name, x in columns.items() if x is not None}
    return act.where, {"id": f"{act.id}/{n}", "prompt": act.prompt, "annotator": act.annotator, **act.columns, **known}


def _pairs(acts: Sequence[Act], view: View) -> Iterator[Row]:
    found = comparisons(acts, view.attribute, view.gap)
    if view.labels != "each":
        found = aggregated(found, view.labels, view.weights)
    safe = _safe(acts, view)
    number: dict[str, int] = {}
    for c in found:
        if c.tie and not view.ties:
            view.notices.add("ties give pairs only to methods that read the column 'tie'", c.act.where)
            continue
        number[c.act.id] = n = number.get(c.act.id, -1) + 1
        columns: dict[str, Any] = {"margin": c.margin, "agreement": c.agreement}
        if view.ties:
            columns["tie"] = float(c.tie)
        for name, said in (("chosen_safe", c.first), ("rejected_safe", c.second)):
            columns[name] = safe.get((canonical(c.act.prompt), canonical(said)))
        yield _row(c.act, n, chosen=c.first, rejected=c.second, **columns)


def _safe(acts: Iterable[Act], view: View) -> Mapping[Any, bool]:
    """What most annotators say about the safety of an answer, by prompt and answer."""
    return agreed(
        (
            ((canonical(a.prompt), a.key(a.judgement.answer)), a.annotator, a.judgement.safe)
            for a in acts
            if isinstance(a.judgement, j.Safety)
        ),
        view.labels,
        view.weights,
    )


def _rankings(acts: Sequence[Act], view: View) -> Iterator[Row]:
    _each(view, "rankings")
    for order in orders(acts, view.attribute):
        if any(len(tier) > 1 for tier in order.tiers):
            view.notices.add("orders with ties are no rankings and are left out", order.act.where)
        elif len(order.tiers) > 1:
            yield _row(order.act, 0, completions=[said for (said,) in order.tiers])


def _ratings(acts: Sequence[Act], view: View) -> Iterator[Row]:
    labelled = [(act, place, label) for act in acts for place, label in _labels(act, view.attribute)]
    if view.labels == "each":
        for act, place, label in labelled:
            yield _row(act, place, completion=act.answers[place].said, label=label)
        return
    answers = {(canonical(a.prompt), a.key(place)): (a, place) for a, place, _ in reversed(labelled)}
    votes = [((canonical(a.prompt), a.key(place)), a.annotator, label) for a, place, label in labelled]
    for item, label in agreed(votes, view.labels, view.weights).items():
        act, place = answers[item]  # type: ignore[index]
        yield _row(act, place, completion=act.answers[place].said, label=label)


def _labels(act: Act, attribute: str) -> Iterator[tuple[int, bool]]:
    """Answers that an act calls good or bad. Of a rating, those above or below the middle of its scale."""
    match act.judgement:
        case j.Label(answer, label) if not attribute:
            yield answer, label
        case j.Signal(answer, signal) if not attribute and j.SIGNALS[signal] is not None:
            yield answer, bool(j.SIGNALS[signal])
        case j.Safety(answer, safe) if attribute == "safety":
            yield answer, safe
        case j.Rating(answer, scores, float(low), float(high)) if attribute in scores:
            if scores[attribute] != (low + high) / 2:
                yield answer, scores[attribute] > (low + high) / 2
        case j.Preference(undecided="both_bad" | "both_good" as both) as p if p.attribute == attribute:
            yield from ((place, both == "both_good") for place in range(len(act.answers)))


def _demonstrations(acts: Sequence[Act], view: View) -> Iterator[Row]:
    _each(view, "demonstrations")
    for act in acts:
        match act.judgement:
            case j.Demonstration(written):
                yield _row(act, 0, completion=written)
            case j.Edit(_, edited):
                yield _row(act, 0, completion=edited)


def _prompts(acts: Sequence[Act], view: View) -> Iterator[Row]:
    _each(view, "prompts")
    asked = {canonical(act.prompt): act for act in reversed(acts)}
    for act in reversed(asked.values()):
        yield act.where, {"prompt": act.prompt, **act.columns}


def _each(view: View, kind: str) -> None:
    if view.labels != "each":
        raise DataError(f"labels: {view.labels} makes one pair or rating of several; {kind} need labels: each")


EVERY = (j.Preference, j.Ranking, j.Rating, j.Label, j.Spans, j.Safety, j.Edit, j.Demonstration, j.Critique, j.Signal,
         j.KeyPoints, j.Regions)  # fmt: skip
VIEWS: dict[str, tuple[tuple[type, ...], Callable[[Sequence[Act], View], Iterator[Row]]]] = {
    "pairs": ((j.Preference, j.Ranking, j.Rating, j.Edit, j.Safety), _pairs),
    "rankings": ((j.Preference, j.Ranking, j.Rating, j.Edit), _rankings),
    "ratings": ((j.Label, j.Signal, j.Safety, j.Rating, j.Preference), _ratings),
    "demonstrations": ((j.Demonstration, j.Edit), _demonstrations),
    "prompts": (EVERY, _prompts),
}
