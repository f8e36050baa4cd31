"""The database of a studio: one SQLite file in `annotations/`. Every change is one transaction that begins at once.

`BEGIN IMMEDIATE` takes the lock of writers before anything is read, so that two servers on one file wait for each other
instead of failing. With WAL readers never wait, and a commit is on disk before it returns.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from posttrain.errors import StorageError

VERSION = 1
TABLES = (
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created TEXT NOT NULL)",
    """CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL,
    created TEXT NOT NULL)""",
    """CREATE TABLE items (id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects(id),
    identity TEXT NOT NULL, place INTEGER NOT NULL, content TEXT NOT NULL, expected TEXT,
    UNIQUE (project, identity))""",
    """CREATE TABLE reservations (act TEXT PRIMARY KEY, item INTEGER NOT NULL REFERENCES items(id),
    annotator TEXT NOT NULL, shown TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
    UNIQUE (item, annotator))""",
    """CREATE TABLE acts (number INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL, item INTEGER NOT NULL
    REFERENCES items(id), annotator TEXT NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (act, item))""",
    """CREATE TABLE withdrawals (number INTEGER PRIMARY KEY REFERENCES acts(number), annotator TEXT NOT NULL,
    time TEXT NOT NULL, why TEXT NOT NULL)""",
    "CREATE INDEX acts_of_items ON acts (item)",
    "CREATE INDEX acts_of_annotators ON acts (annotator, number)",
    "CREATE INDEX items_of_projects ON items (project, place)",
    "CREATE TRIGGER acts_stay BEFORE UPDATE ON acts BEGIN SELECT RAISE(ABORT, 'an act is never changed'); END",
    "CREATE TRIGGER acts_remain BEFORE DELETE ON acts BEGIN SELECT RAISE(ABORT, 'an act is never deleted'); END",
)
WAIT = 20.0  # seconds for another writer
DURABLE = "FULL"  # a commit waits for the disk, so that what was acknowledged survives a power cut


class Database:
    """Opens a connection for each use: threads share none, and what a killed process held is free at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as db:
                db.execute("PRAGMA journal_mode = WAL")
                self._prepare(db)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"{file}: cannot be used ({error}); check its permissions, or choose another --annotations"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, timeout=WAIT, isolation_level=None)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA synchronous = {DURABLE}")
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            db.execute("ROLLBACK")
            raise StorageError(
                f"{self.file} has format {version}, this version reads {VERSION}; use the version of posttrain that "
                "made it, or choose another --annotations"
            )
        if version == 0:
            for statement in TABLES:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may write: all of it is on disk when the block ends, or nothing of it."""
        with closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()
