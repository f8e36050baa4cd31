"""Questions to a database: which queries are right, and what a query may not do."""

from __future__ import annotations

import pytest

from posttrain.environments.bundled.sql import Sql
from posttrain.environments.environment import Action
from posttrain.errors import DataError
from tests.environments.playing import calling, keeps_the_rules, play, prompt_of

ONE = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'y');"
OTHER = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (5, 'y');"
TASK = {"prompt": "?", "database": ONE, "other": OTHER, "query": "SELECT a FROM t WHERE b = 'y'"}


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(Sql)


def worth(answer: str, **columns: str) -> float | None:
    return play(Sql(), {**TASK, **columns}, lambda _: Action(answer)).reward


@pytest.mark.parametrize(
    ("answer", "reward"),
    [
        ("SELECT a FROM t WHERE b = 'y'", 1),
        ("Here:\n```sql\nSELECT a AS n FROM t WHERE b <> 'x' ORDER BY a DESC;\n```", 1),
        ("<think>```sql\nSELECT 1\n```</think>```\nSELECT a FROM t WHERE b = 'y'\n```", 1),
        ("```sql\nSELECT a FROM t WHERE b = 'y'\n```\nor\n```sql\nSELECT a FROM t\n```", 0),
        ("SELECT 2 UNION SELECT 3", 0),  # right by chance, in this database
        ("SELECT a, b FROM t WHERE b = 'y'", 0),
        ("SELECT a FROM t", 0),
        ("SELECT a FROM t WHERE b = 'y'; DROP TABLE t", 0),
        ("DELETE FROM t", 0),
        ("2 and 3", 0),
        ("", 0),
    ],
)
def test_what_an_answer_is_worth(answer: str, reward: float) -> None:
    assert worth(answer) == reward


def test_the_order_counts_where_the_right_query_has_one() -> None:
    assert worth("SELECT a FROM t ORDER BY a DESC", query="SELECT a FROM t ORDER BY abs(a)") == 0
    assert worth("SELECT a FROM t ORDER BY a", query="SELECT a FROM t ORDER BY abs(a)") == 1
    inner = "SELECT a FROM t WHERE a IN (SELECT a FROM t ORDER BY (a))"
    assert worth("SELECT a FROM t ORDER BY a DESC", query=inner) == 1


def test_the_tool_reads() -> None:
    world = Sql(rows=1)
    world.reset(prompt_of(TASK), 0)
    assert world.step(calling("query", sql="SELECT * FROM t")).messages[0]["content"] == "a | b\n1 | x\n(2 more rows)"
    for statement in ("DROP TABLE t", "SELECT * FROM u"):
        assert world.step(calling("query", sql=statement)).messages[0]["content"].startswith("Error: query raised")
    assert world.step(calling("query", sql="SELECT count(*) FROM t")).messages[0]["content"].endswith("3")


def test_the_right_query_is_right_and_no_constant_is() -> None:
    for task in Sql.tasks(15, 1):
        assert play(Sql(), task, lambda _, t=task: Action(f"```sql\n{t['query']}\n```")).reward == 1.0
        world = Sql()
        world.reset(prompt_of(task), 0)
        rows = world.right[0].rows
        constant = " UNION ALL ".join("SELECT " + ", ".join(map(repr, row)) for row in rows)
        assert world.step(Action(constant)).reward == 0.0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"query": ""}, "reads the column query"),
        ({"query": "SELECT z FROM t"}, "fails: no such column"),
        ({"database": "CREATE"}, "fails"),
    ],
)
def test_a_task_that_cannot_be_judged_is_an_error(columns: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Sql().reset(prompt_of({**TASK, **columns}), 0)
