"""Projects, their items and what was said, as rows of the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from posttrain.data.feedback.act import Act
from posttrain.data.feedback.views import read_acts
from posttrain.errors import ConfigError
from posttrain.studio.annotation.items import Item
from posttrain.studio.annotation.project import Project
from posttrain.studio.database import Database
from posttrain.studio.refusal import missing

Record = dict[str, Any]
WITHDRAWN = "withdrawn by the annotator"


class Store:
    """What a desk knows. Everything that is said stays; what is taken back is marked as such."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def make(self, project: Project, items: Iterable[Item]) -> tuple[int, int]:
        """Write a project with its items; return its number and how many items it has. Equal ones count once."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with self.database.change() as db:
                made = db.execute(
                    "INSERT INTO projects (name, settings, created) VALUES (?, ?, ?)",
                    (project.name, project.text(), now),
                )
                number = int(made.lastrowid or 0)
                count = add(db, number, items)
                if not count:
                    raise ConfigError("the project would have no item: nothing in the source fits its kind")
        except sqlite3.IntegrityError:
            raise ConfigError(f"a project {project.name!r} exists; choose another name") from None
        return number, count

    def projects(self) -> list[tuple[int, Project]]:
        """Return all projects with their numbers, the newest first."""
        rows = self.database.read("SELECT id, settings FROM projects ORDER BY id DESC")
        return [(number, Project.of(settings)) for number, settings in rows]

    def project(self, number: int) -> Project:
        """Return a project. RefusalError if there is none of this number."""
        rows = self.database.read("SELECT settings FROM projects WHERE id = ?", (number,))
        if not rows:
            raise missing(f"project {number}")
        return Project.of(rows[0][0])

    def records(self, number: int) -> list[Record]:
        """Return the acts of a project in the order they were made; those taken back say so in `excluded`."""
        rows = self.database.read(
            "SELECT record, withdrawals.number IS NOT NULL FROM acts JOIN items ON items.id = acts.item "
            "LEFT JOIN withdrawals USING (number) WHERE project = ? ORDER BY number",
            (number,),
        )
        return [json.loads(record) | ({"excluded": WITHDRAWN} if gone else {}) for record, gone in rows]

    def acts(self, number: int) -> list[Act]:
        """Return the acts of a project as the library reads them."""
        return read_acts((f"act {record['act']}", record) for record in self.records(number))[0]

    def bring(self, number: int, records: Iterable[Record], least: int) -> int:
        """Write acts that were made elsewhere, with their items; return how many are new."""
        from posttrain.studio.annotation.items import item_of

        new = 0
        with self.database.change() as db:
            for record in records:
                item = item_of(f"act {record['act']}", record, least)
                add(db, number, [item])
                (place,) = db.execute(
                    "SELECT id FROM items WHERE project = ? AND identity = ?", (number, item.identity)
                ).fetchone()
                row = (record["act"], place, record["annotator"], record["judgement"]["type"], text_of(record))
                new += db.execute(
                    "INSERT INTO acts (act, item, annotator, kind, record) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (act, item) DO NOTHING",
                    row,
                ).rowcount
        return new


def add(db: sqlite3.Connection, project: int, items: Iterable[Item]) -> int:
    """Append items to a project, those with the highest priority first; return how many are new."""
    (start,) = db.execute("SELECT count(*) FROM items WHERE project = ?", (project,)).fetchone()
    new = 0
    for place, item in enumerate(sorted(items, key=lambda i: -i.priority), start):
        expected = None if item.expected is None else json.dumps(item.expected)
        new += db.execute(
            "INSERT INTO items (project, identity, place, content, expected) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (project, identity) DO NOTHING",
            (project, item.identity, place, item.content(), expected),
        ).rowcount
    return new


def text_of(record: Record) -> str:
    """Return an act as JSON that is the same for the same act."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True)
