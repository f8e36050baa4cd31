"""Judgements from the objects of a feedback file: one reader for each type.

A reader takes the keys of the object and the number of answers of the act.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from posttrain.data.feedback.fields import Fields, check_one_of, check_place
from posttrain.data.feedback.judgements import (
    SIGNALS,
    UNDECIDED,
    Critique,
    Demonstration,
    Edit,
    Judgement,
    KeyPoints,
    Label,
    Mark,
    Preference,
    Ranking,
    Rating,
    Region,
    Regions,
    Safety,
    Signal,
    Skip,
    Spans,
)
from posttrain.errors import DataError


def _preference(f: Fields, count: int) -> Preference:
    value = f.need("preferred")
    known = isinstance(value, str)
    undecided = check_one_of(value, UNDECIDED, "'preferred'") if known else ""
    preferred = None if known else check_place(value, count, "'preferred' of 'judgement'")
    confidence = f.number("confidence")
    if confidence is not None and not 0 <= confidence <= 1:
        raise DataError(f"'confidence' must be a probability from 0 to 1, not {confidence}")
    if count < 2:
        raise DataError(f"a preference needs at least two 'answers', this act has {count}")
    return Preference(preferred, undecided, f.number("strength"), confidence, f.text("attribute"))


def _ranking(f: Fields, count: int) -> Ranking:
    order = f.need("order")
    if not isinstance(order, list | tuple):
        raise DataError(f"'order' must be a list of the places of answers, the best first, not {order!r:.80}")
    tiers = tuple(
        tuple(check_place(x, count, "'order'") for x in (t if isinstance(t, list | tuple) else [t])) for t in order
    )
    every = [x for tier in tiers for x in tier]
    if len(set(every)) < len(every) or len(every) < 2:
        raise DataError(f"'order' must name at least two answers, each once, not {order!r:.80}")
    return Ranking(tiers, f.text("attribute"))


def _rating(f: Fields, count: int) -> Rating:
    answer, score = f.place("answer", count), f.number("score")
    by_attribute = Fields(f.take("scores") or {}, "scores")
    scores = {name: by_attribute.number(name) for name in list(by_attribute.left)}
    given = {"": score, **scores}
    known = {name: x for name, x in given.items() if x is not None}
    if not known:
        raise DataError("a rating needs a 'score', or 'scores' by attribute")
    low, high = _scale(f.take("scale"))
    for x in known.values():
        if low is not None and high is not None and not low <= x <= high:
            raise DataError(f"the score {x:g} is not on the 'scale' from {low:g} to {high:g}")
    return Rating(answer, known, low, high)


def _scale(value: Any) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(x, int | float) for x in value):
        raise DataError(f"'scale' must be [lowest, highest], not {value!r:.80}")
    if value[0] >= value[1]:
        raise DataError(f"'scale' must be [lowest, highest], and {value[0]:g} is not below {value[1]:g}")
    return float(value[0]), float(value[1])


def _label(f: Fields, count: int) -> Label:
    answer, label = f.place("answer", count), f.flag("label")
    if label is None:
        raise DataError("a label needs 'label', true or false")
    return Label(answer, label)


def _spans(f: Fields, count: int) -> Spans:
    answer = f.place("answer", count)
    listed = f.objects("spans") if f.left.get("spans") != [] else f.take("spans")
    return Spans(answer, tuple(map(_mark, listed)))


def _mark(f: Fields) -> Mark:
    start, end = f.need("start"), f.need("end")
    if not all(isinstance(x, int) and not isinstance(x, bool) for x in (start, end)) or not 0 <= start < end:
        raise DataError(f"a span goes from the character 'start' up to 'end' behind it, not {start!r} to {end!r}")
    mark = Mark(start, end, f.text("category"), f.number("severity"), f.text("reason"))
    f.end()
    return mark


def _safety(f: Fields, count: int) -> Safety:
    answer, safe = f.place("answer", count), f.flag("safe")
    categories = f.names("categories")
    if safe is None or (safe and categories):
        raise DataError("safety needs 'safe', true or false, and 'categories' of harm only where it is false")
    return Safety(answer, safe, categories, f.number("severity"))


def _edit(f: Fields, count: int) -> Edit:
    return Edit(f.place("answer", count), _said(f))


def _demonstration(f: Fields, count: int) -> Demonstration:  # noqa: ARG001 (readers are alike)
    return Demonstration(_said(f))


def _said(f: Fields) -> Any:
    given = [x for x in (f.take("text"), f.take("messages")) if x is not None]
    if len(given) != 1:
        raise DataError("the judgement needs what was written: 'text', or 'messages'")
    return given[0]


def _critique(f: Fields, count: int) -> Critique:
    text = f.text("text")
    if not text:
        raise DataError("a critique needs a 'text'")
    return Critique(text, f.place("answer", count) if "answer" in f.left else None)


def _signal(f: Fields, count: int) -> Signal:
    signal = check_one_of(f.need("signal"), SIGNALS, "'signal'")
    return Signal(f.place("answer", count), signal, f.number("value"))


def _key_points(f: Fields, count: int) -> KeyPoints:
    answer, points = f.place("answer", count), f.need("points")
    if not isinstance(points, list | tuple) or not all(isinstance(x, int) and x >= 0 for x in points):
        raise DataError(f"'points' must be a list of places, not {points!r:.80}")
    return KeyPoints(answer, tuple(points))


def _regions(f: Fields, count: int) -> Regions:
    return Regions(f.place("answer", count), tuple(map(_region, f.objects("regions"))))


def _region(f: Fields) -> Region:
    sides = [f.number(name) for name in ("x", "y", "width", "height")]
    x, y, width, height = (n if n is not None else -1.0 for n in sides)
    if min(x, y) < 0 or min(width, height) <= 0:
        raise DataError("a region needs 'x' and 'y', at least 0, and 'width' and 'height', above 0")
    region = Region(x, y, width, height, f.text("category"))
    f.end()
    return region


def _skip(f: Fields, count: int) -> Skip:  # noqa: ARG001 (readers are alike)
    return Skip(f.text("why"))


TYPES: dict[str, Callable[[Fields, int], Judgement]] = {
    "preference": _preference,
    "ranking": _ranking,
    "rating": _rating,
    "label": _label,
    "spans": _spans,
    "safety": _safety,
    "edit": _edit,
    "demonstration": _demonstration,
    "critique": _critique,
    "signal": _signal,
    "key_points": _key_points,
    "regions": _regions,
    "skip": _skip,
}


def judgement_of(value: Any, answers: int) -> Judgement:
    """Read a judgement about `answers` answers. DataError says what is wrong with it."""
    f = Fields(value, "judgement")
    kind = check_one_of(f.need("type"), TYPES, "'type' of 'judgement'")
    made = TYPES[kind](f, answers)
    f.end()
    return made
