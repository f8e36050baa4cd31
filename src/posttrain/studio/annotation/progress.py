"""How far a project is, how far its annotators agree, and which items they disagree about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.data.feedback.act import Act
from posttrain.data.feedback.votes import answered, votes
from posttrain.studio.annotation.desk import ADJUDICATOR
from posttrain.studio.annotation.project import Project
from posttrain.studio.annotation.quality import annotator, estimated_accuracy, question
from posttrain.studio.annotation.store import Store

RESAMPLES = 200  # of the intervals on the page


@dataclass(frozen=True)
class Progress:
    """Counts of a project. `wanted`: judgements that it needs in all, without those of gold items."""

    items: int
    done: int  # items with as many judgements as asked
    judgements: int
    wanted: int
    reserved: int


def progress(store: Store, number: int, project: Project) -> Progress:
    """Count what is done. Skipped and withdrawn acts do not count, nor do gold items."""
    rows = store.database.read(
        "SELECT (SELECT count(*) FROM acts WHERE acts.item = items.id AND kind != 'skip' AND number NOT IN "
        "(SELECT number FROM withdrawals)) FROM items WHERE project = ? AND expected IS NULL",
        (number,),
    )
    counts = [min(count, project.overlap) for (count,) in rows]
    reserved = store.database.read(
        "SELECT count(*) FROM reservations JOIN items ON items.id = item WHERE project = ? "
        "AND until > unixepoch('now')",
        (number,),
    )[0][0]
    full = sum(count == project.overlap for count in counts)
    return Progress(len(counts), full, sum(counts), len(counts) * project.overlap, reserved)


def report(acts: Sequence[Act]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return agreement by question, and numbers of each annotator. What is withdrawn or skipped is left out."""
    kept = [act for act in acts if not act.excluded]
    asked = votes(act for act in kept if act.expected is None)
    accuracy = estimated_accuracy(asked)
    names = sorted({act.annotator for act in kept})
    return {
        "questions": {name: question(own, RESAMPLES) for name, own in asked.items()},
        "annotators": {n: annotator(n, kept, asked) | {"estimated_accuracy": accuracy.get(n)} for n in names},
    }


def disagreements(store: Store, number: int, acts: Sequence[Act]) -> list[dict[str, Any]]:
    """Return the items on which people say different things and nobody has adjudicated: prompt, and who said what."""
    said: dict[str, list[tuple[str, str]]] = {}
    settled = {act.item for act in acts if act.role == ADJUDICATOR and not act.excluded}
    for act in acts:
        if not act.excluded and act.expected is None and act.item not in settled:
            labels = sorted(f"{name}: {label}" for name, _, label in answered(act, act.judgement))
            said.setdefault(act.item, []).append((act.annotator, "; ".join(labels)))
    apart = {item: own for item, own in said.items() if len({label for _, label in own if label}) > 1}
    rows = store.database.read("SELECT id, identity, content FROM items WHERE project = ? ORDER BY place", (number,))
    return [
        {"id": place, "prompt": json.loads(content)["prompt"], "said": apart[item]}
        for place, item, content in rows
        if item in apart
    ]
