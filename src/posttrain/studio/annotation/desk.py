"""Who gets which item, and what they said about it. Each function is one transaction.

An item that a person opens is reserved for them for some minutes, under the id of the act that it will become: so the
same form sent twice is one act, and an item is never given to more people than asked.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import metadata
from random import Random
from typing import Any

from posttrain.data.feedback.act import act_of
from posttrain.errors import DataError
from posttrain.seeds import seed_for
from posttrain.studio.annotation.project import Project
from posttrain.studio.annotation.store import text_of
from posttrain.studio.database import Database
from posttrain.studio.refusal import RefusalError, invalid, missing

ADJUDICATOR = "adjudicator"
EFFECTIVE = "number NOT IN (SELECT number FROM withdrawals)"
# Items that this person has not judged and that still lack people: gold ones for everybody. Those that others have
# begun come first, so that items are finished one after the other.
OPEN = f"""
SELECT items.id FROM items
WHERE project = :project AND (expected IS NOT NULL) = :gold
  AND NOT EXISTS (SELECT 1 FROM acts WHERE acts.item = items.id AND annotator = :annotator AND {EFFECTIVE})
  AND (:gold OR :overlap > (SELECT count(*) FROM acts WHERE acts.item = items.id AND {EFFECTIVE}
       AND kind != 'skip') + (SELECT count(*) FROM reservations WHERE reservations.item = items.id))
ORDER BY (SELECT count(*) FROM acts WHERE acts.item = items.id) DESC, place LIMIT 1
"""  # noqa: S608 -- no value of a user is in it


@dataclass(frozen=True)
class Task:
    """An item in front of a person. `shown`: places of its answers in the order they are shown in."""

    act: str
    item: int
    content: Mapping[str, Any]
    shown: tuple[int, ...]

    @property
    def answers(self) -> list[Mapping[str, Any]]:
        """The answers in the order they are shown in."""
        return [self.content["answers"][place] for place in self.shown]


def claim(database: Database, number: int, project: Project, who: str, *, item: int | None = None) -> Task | None:
    """Return what this person judges next, reserved for them; None if nothing is left for them.

    `item`: the one to take whatever others have said, to adjudicate it.
    """
    now = time.time()
    with database.change() as db:
        db.execute("DELETE FROM reservations WHERE until < ? AND annotator != ?", (now, who))
        if item is None:
            item = _held(db, number, who) or _next(db, number, project, who)
        if item is None:
            return None
        return _reserved(db, number, project, who, item, now)


def _held(db: sqlite3.Connection, number: int, who: str) -> int | None:
    row = db.execute(
        "SELECT item FROM reservations JOIN items ON items.id = item WHERE project = ? AND annotator = ? "
        "ORDER BY since DESC",
        (number, who),
    ).fetchone()
    return None if row is None else int(row[0])


def _next(db: sqlite3.Connection, number: int, project: Project, who: str) -> int | None:
    (done,) = db.execute(
        "SELECT count(*) FROM acts JOIN items ON items.id = item WHERE project = ? AND annotator = ?", (number, who)
    ).fetchone()
    asked = {"project": number, "annotator": who, "overlap": project.overlap}
    check = bool(project.gold_every) and done % project.gold_every == project.gold_every - 1
    for gold in (True, False) if check else (False, True):
        row = db.execute(OPEN, {**asked, "gold": gold}).fetchone()
        if row is not None:
            return int(row[0])
    return None


def _reserved(db: sqlite3.Connection, number: int, project: Project, who: str, item: int, now: float) -> Task:
    row = db.execute("SELECT content FROM items WHERE id = ? AND project = ?", (item, number)).fetchone()
    if row is None:
        raise missing(f"item {item} in this project")
    content = json.loads(row[0])
    order = order_of(project, item, who, len(content["answers"]))
    until = now + 60 * project.minutes
    db.execute(
        "INSERT INTO reservations (act, item, annotator, shown, since, until) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (item, annotator) DO UPDATE SET until = excluded.until",
        (uuid.uuid4().hex, item, who, json.dumps(order), now, until),
    )
    act, shown = db.execute(
        "SELECT act, shown FROM reservations WHERE item = ? AND annotator = ?", (item, who)
    ).fetchone()
    return Task(act, item, content, tuple(json.loads(shown)))


def order_of(project: Project, item: int, who: str, answers: int) -> list[int]:
    """Return the order in which a person sees the answers of an item: as likely as any other, and always the same."""
    order = list(range(answers))
    Random(seed_for(project.seed, "shown", item, who)).shuffle(order)  # noqa: S311 -- an order, no secret
    return order


def task(database: Database, act: str, who: str) -> Task:
    """Return what a form is about. RefusalError if it was never given to this person, or was given to others since."""
    rows = database.read(
        "SELECT act, item, content, shown FROM reservations JOIN items ON items.id = item WHERE act = ? "
        "AND annotator = ?",
        (act, who),
    )
    if not rows:
        done = database.read("SELECT 1 FROM acts WHERE act = ? AND annotator = ?", (act, who))
        why = "this was saved before" if done else "this item was reserved for too long and is no longer yours"
        raise RefusalError(HTTPStatus.CONFLICT, f"{why}: open the desk again")
    return Task(rows[0][0], rows[0][1], json.loads(rows[0][2]), tuple(json.loads(rows[0][3])))


def record(
    database: Database, project: Project, act: str, who: str, said: Mapping[str, Any], reason: str = "", role: str = ""
) -> bool:
    """Write what a person said, for good; return whether it is new: the same form may come twice.

    It is on disk when this returns. RefusalError if it contradicts what was said under this id, is no judgement of this
    item, or the item is no longer reserved.
    """
    with database.change() as db:
        known = db.execute("SELECT annotator, record FROM acts WHERE act = ?", (act,)).fetchone()
        if known is not None:
            if known[0] == who and json.loads(known[1])["judgement"] == said:
                return False
            raise RefusalError(HTTPStatus.CONFLICT, "this was saved before with another judgement: open the desk again")
        held = db.execute(
            "SELECT item, shown, since, content, expected, identity FROM reservations JOIN items "
            "ON items.id = reservations.item WHERE act = ? AND annotator = ?",
            (act, who),
        ).fetchone()
        if held is None:
            raise RefusalError(HTTPStatus.CONFLICT, "this item is no longer reserved for you: open the desk again")
        written = _act(project, act, who, said, reason, role, held)
        row = (act, held[0], who, said["type"], text_of(written))
        db.execute("INSERT INTO acts (act, item, annotator, kind, record) VALUES (?, ?, ?, ?, ?)", row)
        db.execute("DELETE FROM reservations WHERE act = ?", (act,))
    return True


def _act(
    project: Project, act: str, who: str, said: Mapping[str, Any], reason: str, role: str, held: tuple[Any, ...]
) -> dict[str, Any]:
    _, shown, since, content, expected, identity = held
    item = json.loads(content)
    written = {
        "act": act, "annotator": who, "item": identity, "prompt": item["prompt"], "answers": item["answers"],
        "shown": json.loads(shown), "judgement": dict(said), "reason": reason, "role": role,
        "time": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(time.time() - since, 1),
        "tool": f"posttrain studio {tool_version()}", "instructions": project.version, "columns": item["columns"],
    }  # fmt: skip
    if expected is not None:
        written["expected"] = json.loads(expected)
    written = {name: value for name, value in written.items() if value not in ("", {}, [])}
    try:
        act_of(written, "this judgement")
    except DataError as error:
        raise invalid(str(error)) from None
    return written


def withdraw(database: Database, number: int, project: Project, who: str) -> Task | None:
    """Take back the last thing that this person said in a project; return its item, None if there is nothing.

    The act stays in the record; the item is reserved for them again.
    """
    with database.change() as db:
        row = db.execute(
            "SELECT number, items.id FROM acts JOIN items ON items.id = acts.item WHERE project = ? "
            "AND annotator = ? AND number NOT IN (SELECT number FROM withdrawals) ORDER BY number DESC LIMIT 1",
            (number, who),
        ).fetchone()
        if row is None:
            return None
        about = (row[0], who, datetime.now(UTC).isoformat(timespec="seconds"))
        db.execute("INSERT INTO withdrawals (number, annotator, time, why) VALUES (?, ?, ?, 'undo')", about)
        return _reserved(db, number, project, who, int(row[1]), time.time())


def tool_version() -> str:
    """Return the version of posttrain."""
    try:
        return metadata.version("posttrain")
    except metadata.PackageNotFoundError:
        return "from source"
