"""Questions about a database: a tool reads it, and the answer is a query whose result is compared with the right one.

The column `database` holds a script that makes the database (or the path of a .sqlite or .db file, which is read and
never written), `query` the right SELECT. The answer without a call is a SELECT, in a fenced block or alone. It is worth
1 where its result is that of the right query; rows may come in another order unless the right query orders them. With
the column `other` (a database of the same schema with other rows) it must be so there, too: no constant is right.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.database import Database, Table, same_rows
from posttrain.environments.environment import Action, Tool
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.errors import DataError
from posttrain.records import Message, Prompt

_BLOCK = re.compile(r"```[ \t]*(?:sql|sqlite)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_SCHEMA = """CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT, country TEXT, born INTEGER);
CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER, title TEXT, year INTEGER, price REAL);
"""
_COUNTRIES = ("Norway", "Chile", "Japan", "Ghana")
QUESTIONS = (
    ("How many artists come from {country}?", "SELECT count(*) FROM artist WHERE country = '{country}'"),
    ("Which titles have the albums after {year}?", "SELECT title FROM album WHERE year > {year}"),
    (
        "How many albums has each artist? Give the name and the number, also where there are none.",
        "SELECT name, count(album.id) FROM artist LEFT JOIN album ON artist_id = artist.id GROUP BY artist.id",
    ),
    (
        "Which artist from {country} was born first? Give the name.",
        "SELECT name FROM artist WHERE country = '{country}' ORDER BY born, name LIMIT 1",
    ),
    (
        "What do the albums of artists from {country} cost on average?",
        "SELECT avg(price) FROM album JOIN artist ON artist_id = artist.id WHERE country = '{country}'",
    ),
    (
        "Give the titles and prices of the albums, the dearest first, and of equals the title that comes first.",
        "SELECT title, price FROM album ORDER BY price DESC, title",
    ),
)


class Sql(ToolEnvironment):
    """Answer questions about a database with a query.

    Settings:
        rows: rows of a result that the policy reads; at least 1.
        instructions: SQLite's instructions after which a query is stopped; at least 1000, a second or so is 10000000.
    """

    def __init__(self, *, rows: int = 20, instructions: int = 2_000_000) -> None:
        self.rows = rows
        self.instructions = instructions
        self.databases: list[Database] = []
        self.right: list[Table] = []
        self.ordered = False

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make small databases of artists and albums, and a question about each."""
        return [_task(Draws("sql", seed, number)) for number in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        columns = prompt.columns
        if missing := [name for name in ("database", "query") if not columns.get(name)]:
            raise DataError(f"{prompt.where or 'a prompt'}: the environment sql reads the column {missing[0]}")
        sources = [columns["database"], *([columns["other"]] if columns.get("other") else [])]
        try:
            self.databases = [Database(str(source), self.instructions) for source in sources]
            self.right = [database.select(str(columns["query"])) for database in self.databases]
        except sqlite3.Error as error:
            raise DataError(f"{prompt.where or 'a prompt'}: its database or its query fails: {error}") from error
        self.ordered = _ordered(str(columns["query"]))
        return super().reset(prompt, seed)

    def tools(self) -> Sequence[Tool]:
        return (self.query,)

    def query(self, sql: str) -> str:
        """Run one SELECT on the database and return the rows that it finds.

        Args:
            sql: The statement, in SQLite's dialect.
        """
        return self.databases[0].select(sql).shown(self.rows)

    def score(self, action: Action) -> float:
        """Return 1 where the query in an answer finds the right rows in every database."""
        text = action.text.rpartition("</think>")[2]
        statement = (_BLOCK.findall(text) or [text])[-1].strip()
        try:
            found = [database.select(statement) for database in self.databases]
        except sqlite3.Error:
            return 0.0
        return float(all(same_rows(a, b, ordered=self.ordered) for a, b in zip(found, self.right, strict=True)))

    def close(self) -> None:
        for database in self.databases:
            database.close()


def _ordered(query: str) -> bool:
    """Whether a query orders its rows: it says so outside of all parentheses."""
    inner = None
    while inner != query:
        inner, query = query, re.sub(r"\([^()]*\)", "", query)
    return re.search(r"\border\s+by\b", query, re.IGNORECASE) is not None


def _task(draw: Draws) -> Mapping[str, Any]:
    """Make one database, another of the same schema, and a question whose results differ between the two."""
    while True:
        question, query = draw.choose(QUESTIONS)
        chosen = {"country": draw.choose(_COUNTRIES), "year": draw.integer(1975, 2005)}
        scripts = [_script(draw), _script(draw)]
        wanted = query.format(**chosen)
        found = [Database(script).select(wanted) for script in scripts]
        if found[0].rows and not same_rows(*found, ordered=False):
            break
    rest = "Look with the tool. In the end answer with one SELECT in a block ```sql, without a call."
    prompt = f"{question.format(**chosen)} The database has these tables:\n{_SCHEMA}{rest}"
    return {"prompt": prompt, "database": scripts[0], "other": scripts[1], "query": wanted}


def _script(draw: Draws) -> str:
    artists = [
        f"({i}, '{draw.choose('BDFKLMNRST')}{draw.choose('aeiou')}{draw.choose('lmnrst')}o {i}', "
        f"'{draw.choose(_COUNTRIES)}', {draw.integer(1930, 1990)})"
        for i in range(1, draw.integer(6, 9))
    ]
    albums = [
        f"({i}, {draw.integer(1, len(artists))}, 'Album {draw.integer(100, 999)}', {draw.integer(1970, 2010)}, "
        f"{draw.integer(5, 30)}.5)"
        for i in range(1, draw.integer(8, 14))
    ]
    rows = {"artist": artists, "album": albums}
    return _SCHEMA + "\n".join(f"INSERT INTO {name} VALUES {', '.join(each)};" for name, each in rows.items())  # noqa: S608
