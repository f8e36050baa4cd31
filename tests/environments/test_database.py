"""What a statement may do to a database, and when two results are the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from posttrain.environments.database import Database, Table, same_rows

SCRIPT = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL), (2, 'y');"
NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"


def test_a_table() -> None:
    table = Database(SCRIPT).select("SELECT a, b AS name FROM t ORDER BY a, b")
    assert table == Table(("a", "name"), ((1, "x"), (2, None), (2, "y")))
    assert table.shown(2) == "a | name\n1 | x\n2 | NULL\n(1 more rows)"
    assert table.shown(3).endswith("2 | y")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE t",
        "INSERT INTO t VALUES (3, 'z')",
        "DELETE FROM t",
        "PRAGMA table_info(t)",
        "ATTACH 'other.db' AS o",
        "SELECT load_extension('evil')",
        "SELECT 1; DROP TABLE t",
        "SELECT writefile('x', 'y')",
        "VACUUM INTO 'copy.db'",
        "CREATE TEMP TABLE u (a)",
        f"{NUMBERS}) SELECT count(*) FROM n",
        f"{NUMBERS} LIMIT 10001) SELECT x FROM n",
        "SELECT zeroblob(100000000)",
        "SELECT printf('%.*c', 100000000, 'x')",
        "SELECT random()",
        f"{NUMBERS} LIMIT 100) SELECT hex(zeroblob(40000)) FROM n",
        f"{NUMBERS} LIMIT 9000) SELECT hex(zeroblob(30000 + x)) AS v FROM n ORDER BY v",
        "SELECT 'a\0b'",
        "nonsense",
        "",
        "SELECT " + "(" * 3000,
    ],
)
def test_what_a_statement_may_not_do(statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database(SCRIPT, 300_000)
    with pytest.raises(sqlite3.Error):
        database.select(statement)
    assert len(database.select("SELECT * FROM t").rows) == 3
    assert not list(tmp_path.iterdir())
    database.close()


def test_a_file_is_read_and_not_written(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript(SCRIPT)
    connection.close()
    database = Database(str(file))
    assert database.select("SELECT count(*) FROM t").rows == ((3,),)
    with pytest.raises(sqlite3.Error):
        database.connection.execute("DELETE FROM t")
    with pytest.raises(sqlite3.Error):
        Database(str(tmp_path / "missing.db"))


@pytest.mark.parametrize(
    ("one", "other", "unordered", "ordered"),
    [
        ("SELECT a FROM t ORDER BY b", "SELECT a AS z FROM t ORDER BY b", True, True),
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC", True, False),
        ("SELECT a FROM t", "SELECT DISTINCT a FROM t", False, False),
        ("SELECT 2", "SELECT 2.0", True, True),
        ("SELECT 0.1 + 0.2", "SELECT 0.3", True, True),
        ("SELECT '2'", "SELECT 2", False, False),
        ("SELECT a, b FROM t", "SELECT b, a FROM t", False, False),
        ("SELECT NULL", "SELECT 0", False, False),
    ],
)
def test_when_results_are_the_same(one: str, other: str, unordered: bool, ordered: bool) -> None:
    database = Database(SCRIPT)
    a, b = database.select(one), database.select(other)
    assert same_rows(a, b, ordered=False) == unordered
    assert same_rows(a, b, ordered=True) == ordered
