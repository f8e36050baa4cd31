"""A database that can only be read: SQLite with limits on what a statement may do and how long it may run."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
DENIED = {"format", "load_extension", "printf", "random", "randomblob"}  # chance, and work that nothing counts
MEMORY = 1 << 26  # bytes of all databases of this process
LARGEST = 1 << 16  # bytes of a statement, of a row, and of the texts in a result
ROWS = 10_000  # of a result
_EVERY = 1000  # instructions between two looks at the count


@dataclass(frozen=True)
class Table:
    """What a statement found: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def shown(self, most: int) -> str:
        """Return the table as text, of its rows the first `most`."""
        lines = [" | ".join(self.columns), *(" | ".join(map(_shown, row)) for row in self.rows[:most])]
        left = len(self.rows) - most
        return "\n".join([*lines, *([f"({left} more rows)"] if left > 0 else [])])


class Database:
    """Reads a database, made of a script of SQL or kept in a file. Statements that break a limit raise sqlite3.Error.

    The limit counts SQLite's own instructions, so that a statement fails or not on every machine alike.
    """

    def __init__(self, source: str, instructions: int = 2_000_000) -> None:
        self.instructions = instructions
        self.run = 0  # instructions of the present statement
        if source.endswith((".sqlite", ".db")):
            self.connection = sqlite3.connect(f"{Path(source).resolve().as_uri()}?mode=ro", uri=True)
        else:
            self.connection = sqlite3.connect(":memory:")
            self.connection.executescript(source)
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self.connection.execute(f"PRAGMA hard_heap_limit = {MEMORY}")
        self.connection.execute("PRAGMA temp_store = MEMORY")
        self.connection.set_authorizer(_authorised)
        self.connection.set_progress_handler(self._too_long, _EVERY)

    def select(self, statement: str) -> Table:
        """Return what one SELECT finds. Raises sqlite3.Error for one that is wrong, not allowed, or too large."""
        self.run = 0
        try:
            cursor = self.connection.execute(statement)
            rows = list(_limited(cursor))
        except (MemoryError, ValueError, sqlite3.Warning) as error:  # too much; a NUL character; several statements
            raise sqlite3.ProgrammingError(str(error) or "out of memory") from error
        if cursor.description is None:
            raise sqlite3.OperationalError("not a SELECT")
        return Table(tuple(name for name, *_ in cursor.description), tuple(rows))

    def close(self) -> None:
        self.connection.close()

    def _too_long(self) -> bool:
        self.run += _EVERY
        return self.run > self.instructions


def same_rows(one: Table, other: Table, *, ordered: bool) -> bool:
    """Whether two results hold the same rows, as often; names of columns do not matter, and 2 is 2.0."""
    a, b = [[_comparable(row) for row in table.rows] for table in (one, other)]
    return a == b if ordered else Counter(a) == Counter(b)


def _limited(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Pass rows on up to the largest result."""
    size = 0
    for count, row in enumerate(rows, 1):
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if count > ROWS or size > LARGEST:
            raise sqlite3.OperationalError(f"more than {ROWS} rows, or {LARGEST} bytes")
        yield row


def _comparable(row: Sequence[object]) -> tuple[object, ...]:
    return tuple(round(x, 6) if isinstance(x, float) else x for x in row)


def _shown(value: object) -> str:
    return "NULL" if value is None else str(value)


def _authorised(action: int, _: object, name: object, *__: object) -> int:
    denied = action == sqlite3.SQLITE_FUNCTION and str(name).casefold() in DENIED
    return sqlite3.SQLITE_OK if action in ALLOWED and not denied else sqlite3.SQLITE_DENY
