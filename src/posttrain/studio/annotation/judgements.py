"""What a form says, as a judgement of docs/feedback.md. The form names answers by the place they were shown at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.studio.annotation.desk import Task
from posttrain.studio.annotation.project import Project
from posttrain.studio.pages.parameters import one_of, whole
from posttrain.studio.refusal import invalid

Form = Mapping[str, list[str]]
LONGEST = 100_000  # characters that a person writes


def judgement(project: Project, task: Task, form: Form) -> dict[str, Any]:
    """Read the judgement of a form. RefusalError with what is missing."""
    if value(form, "skip"):
        return {"type": "skip", "why": value(form, "why")[:1000]}
    return READERS[project.kind](project, task, form)


def value(form: Form, name: str) -> str:
    """Return a field of the form; empty if it is missing."""
    return form.get(name, [""])[0]


def pair(project: Project, task: Task, form: Form) -> dict[str, Any]:
    """A preference between the answers, a tie, or both bad."""
    said = value(form, "preferred")
    if not said:
        raise invalid("choose an answer, a tie, or both bad")
    about = {"attribute": project.attributes[0]} if project.attributes else {}
    if said in ("tie", "both_bad"):
        return {"type": "preference", "preferred": said, **about}
    strength = whole(value(form, "strength") or "1", "strength", 1, project.strengths)
    degrees = {"strength": strength} if project.strengths > 1 else {}
    return {"type": "preference", "preferred": place(task, said), **degrees, **about}


def place(task: Task, said: str) -> int:
    """Return the place of an answer from where it was shown."""
    return task.shown[whole(said, "answer", 0, len(task.shown) - 1)]


def ranking(project: Project, task: Task, form: Form) -> dict[str, Any]:
    """An order: each answer has a rank, 1 for the best; equal ranks are ties."""
    count = len(task.shown)
    ranks = {task.shown[n]: whole(value(form, f"rank{n}"), f"rank of answer {n + 1}", 1, count) for n in range(count)}
    tiers = [sorted(p for p, rank in ranks.items() if rank == r) for r in sorted(set(ranks.values()))]
    order = [tier[0] if len(tier) == 1 else tier for tier in tiers]
    return {"type": "ranking", "order": order, **({"attribute": project.attributes[0]} if project.attributes else {})}


def rating(project: Project, task: Task, form: Form) -> dict[str, Any]:
    """Scores of one answer, one for each attribute."""
    names = project.attributes or ("",)
    given = {a: value(form, f"score {a}".strip()) for a in names}
    absent = [a or "the answer" for a, text in given.items() if not text]
    if absent:
        raise invalid(f"no score yet for {', '.join(absent)}")
    scores = {a: whole(text, a or "score", project.low, project.high) for a, text in given.items()}
    said = {"scores": scores} if project.attributes else {"score": scores[""]}
    return {"type": "rating", "answer": task.shown[0], **said, "scale": [project.low, project.high]}


def spans(project: Project, task: Task, form: Form) -> dict[str, Any]:
    """Marked parts of one answer; none at all says that there is nothing to mark."""
    try:
        given = json.loads(value(form, "spans") or "[]")
        marks = [(int(m["start"]), int(m["end"]), str(m.get("category", "")), str(m.get("reason", ""))) for m in given]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise invalid("spans: a list of objects with start, end, category and reason is needed") from None
    places = in_browser(task.answers[0].get("text", ""))
    found = []
    for start, end, category, reason in marks:
        if not 0 <= start < end < len(places):
            raise invalid(f"a span from {start} to {end} is not within the answer")
        if project.categories:
            one_of(category, "category", project.categories)
        about = {"category": category, "reason": reason[:2000]}
        found.append({"start": places[start], "end": places[end], **{k: v for k, v in about.items() if v}})
    return {"type": "spans", "answer": task.shown[0], "spans": sorted(found, key=lambda s: (s["start"], s["end"]))}


def in_browser(text: str) -> Sequence[int]:
    """Return the place in a text of every character as a browser's text field counts: one for each line break."""
    return [m.start() for m in re.finditer(r"\r\n|[\s\S]", text)] + [len(text)]


def edit(_: Project, task: Task, form: Form) -> dict[str, Any]:
    """A better version of one answer."""
    text = written(form)
    if text == task.answers[0].get("text", "").replace("\r\n", "\n"):
        raise invalid("the answer was not changed: change it, or skip it")
    return {"type": "edit", "answer": task.shown[0], "text": text}


def demonstration(_: Project, __: Task, form: Form) -> dict[str, Any]:
    """An answer that the person wrote."""
    return {"type": "demonstration", "text": written(form)}


def written(form: Form) -> str:
    """Return what a person wrote. RefusalError if it is nothing, or too long."""
    text = value(form, "text").replace("\r\n", "\n")
    if not text.strip():
        raise invalid("nothing is written")
    if len(text) > LONGEST:
        raise invalid(f"at most {LONGEST:,} characters, not {len(text):,}")
    return text


READERS = {
    "pair": pair,
    "ranking": ranking,
    "rating": rating,
    "spans": spans,
    "edit": edit,
    "demonstration": demonstration,
}
