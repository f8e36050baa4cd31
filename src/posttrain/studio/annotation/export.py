"""What people said, in shapes that others read: feedback files, rows of TRL and HF, Argilla, Label Studio, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from posttrain.data.feedback.act import Act
from posttrain.data.feedback.views import View, read_acts, rows
from posttrain.studio.annotation.desk import ADJUDICATOR

Records = Sequence[Mapping[str, Any]]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def acts_of(records: Records) -> list[Act]:
    """Return the acts to learn from: where somebody has adjudicated an item, theirs alone."""
    acts, _ = read_acts((f"act {r['act']}", r) for r in records)
    settled = {act.item for act in acts if act.role == ADJUDICATOR and not act.excluded}
    return [act for act in acts if act.item not in settled or act.role == ADJUDICATOR]


def lines(found: Iterable[Any]) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)


def feedback(records: Records) -> str:
    """Every act, as docs/feedback.md describes it: what is withdrawn says so."""
    return lines(records)


def of_kind(records: Records, kind: str, labels: Any) -> list[dict[str, Any]]:
    """Return the rows of a kind, with conversations as messages in prompt and answers."""
    return [conversational(dict(row)) for _, row in rows(acts_of(records), kind, View(labels=labels))]


def conversational(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose answers are messages where its prompt is: TRL mixes no text with conversations."""
    if not isinstance(row.get("prompt"), str):
        for name in ("chosen", "rejected", "completion"):
            if isinstance(row.get(name), str):
                row[name] = [{"role": "assistant", "content": row[name]}]
    return row


def preferences(records: Records) -> str:
    """TRL's preference rows: prompt, chosen, rejected; most votes decide, and `agreement` is their share."""
    return lines(of_kind(records, "pairs", "majority"))


def unpaired(records: Records) -> str:
    """TRL's unpaired preferences: prompt, completion, label."""
    return lines(of_kind(records, "ratings", "majority"))


def completions(records: Records) -> str:
    """TRL's and HF's rows of prompt and completion: demonstrations and edits."""
    return lines(of_kind(records, "demonstrations", "each"))


def argilla(records: Records) -> str:
    """Argilla's records: one for each item, with a response of every annotator."""
    found: dict[str, dict[str, Any]] = {}
    for r in kept(records):
        fields = {"prompt": r["prompt"]} | {f"response{n + 1}": words(a) for n, a in enumerate(r.get("answers", ()))}
        record = found.setdefault(r["item"], {"id": r["item"], "fields": fields, "responses": []})
        response = {
            "user_id": r["annotator"],
            "status": "submitted",
            "values": {"judgement": {"value": r["judgement"]}},
        }
        record["responses"].append(response)
    return json.dumps(list(found.values()), ensure_ascii=False, indent=1)


def label_studio(records: Records) -> str:
    """Label Studio's tasks with annotations: pairwise choices, ratings, rankings, text areas and labelled regions."""
    found: dict[str, dict[str, Any]] = {}
    for r in kept(records):
        data = {"prompt": r["prompt"]} | {f"answer{n + 1}": words(a) for n, a in enumerate(r.get("answers", ()))}
        item = found.setdefault(r["item"], {"data": data, "annotations": []})
        about = {
            "completed_by": {"username": r["annotator"]},
            "created_at": r.get("time"),
            "lead_time": r.get("seconds"),
        }
        item["annotations"].append({**about, "unique_id": r["act"], "result": results(r["judgement"])})
    return json.dumps(list(found.values()), ensure_ascii=False, indent=1)


def results(judgement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a judgement as Label Studio's list of results."""
    match judgement["type"]:
        case "preference":
            sides = {0: "left", 1: "right"}
            chosen = sides.get(judgement["preferred"], str(judgement["preferred"]))
            return [result("preference", "prompt", "pairwise", {"selected": chosen})]
        case "rating":
            scores = judgement.get("scores") or {"score": judgement["score"]}
            return [result(name, "answer1", "rating", {"rating": value}) for name, value in scores.items()]
        case "ranking":
            return [result("ranking", "prompt", "ranker", {"ranker": {"rank": judgement["order"]}})]
        case "spans":
            return [
                result("spans", "answer1", "labels", {"start": s["start"], "end": s["end"], "text": s.get("reason", ""),
                                                      "labels": [s.get("category", "span")]})
                for s in judgement["spans"]
            ]  # fmt: skip
        case "edit" | "demonstration":
            return [result(judgement["type"], "prompt", "textarea", {"text": [judgement["text"]]})]
    return []


def result(name: str, to: str, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return one result of an annotation."""
    return {"from_name": name, "to_name": to, "type": kind, "value": dict(value)}


def table(records: Records) -> str:
    """CSV for a spreadsheet, a line each act. A cell that would be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns = ("act", "time", "annotator", "item", "judgement", "reason", "seconds", "shown", "excluded")
    writer.writerow((*columns, "prompt", "answers"))
    for r in records:
        answers = [words(a) for a in r.get("answers", ())]
        cells = [r.get(name, "") for name in columns] + [r["prompt"], answers]
        writer.writerow([cell(value) for value in cells])
    return out.getvalue()


def cell(value: Any) -> str:
    """Return a cell that no spreadsheet runs."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(FORMULA) else text


def kept(records: Records) -> list[Mapping[str, Any]]:
    """Return the acts that count."""
    return [r for r in records if not r.get("excluded") and r["judgement"]["type"] != "skip"]


def words(answer: Any) -> Any:
    """Return the text or the messages of an answer."""
    return answer.get("text", answer.get("messages")) if isinstance(answer, Mapping) else answer


SHAPES: dict[str, tuple[str, Callable[[Records], str], str]] = {  # name of the file, writer, what it is
    "feedback": ("feedback.jsonl", feedback, "every act, for data: in a run file"),
    "preferences": ("preferences.jsonl", preferences, "TRL: prompt, chosen, rejected"),
    "unpaired": ("unpaired.jsonl", unpaired, "TRL: prompt, completion, label"),
    "completions": ("completions.jsonl", completions, "TRL and HF: prompt, completion"),
    "argilla": ("argilla.json", argilla, "Argilla's records"),
    "label_studio": ("label_studio.json", label_studio, "Label Studio's tasks with annotations"),
    "csv": ("feedback.csv", table, "for a spreadsheet"),
}
