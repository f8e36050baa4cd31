"""Tasks of an environment as a source of data."""

from typing import Any

import pytest

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.tasks import seed_of, tasks
from posttrain.errors import ConfigError, DataError


class Counting(Environment):
    """Tasks that count."""

    @classmethod
    def tasks(cls, count: int, seed: int) -> Any:
        """Number them from the seed on; of seed 7, nonsense."""
        return "seven" if seed == 7 else [{"prompt": f"{seed + i}?"} for i in range(1 if seed == 8 else count)]

    def step(self, action: Action) -> Outcome:  # noqa: ARG002
        """Answer nothing."""
        return Outcome()


class Without(Counting):
    """No tasks of its own."""

    tasks = Environment.tasks


def test_a_source_names_its_seed() -> None:
    assert [seed_of(s) for s in ("environment", "environment:seed=3", "environments.jsonl", "a/environment")] == [
        0,
        3,
        None,
        None,
    ]
    with pytest.raises(ConfigError, match="environment:seed=1"):
        seed_of("environment:split=test")


def test_rows_know_where_they_come_from() -> None:
    assert tasks(Counting, "mine", 2, 5) == [
        ("environment mine:0", {"prompt": "5?"}),
        ("environment mine:1", {"prompt": "6?"}),
    ]


def test_what_are_no_tasks() -> None:
    with pytest.raises(DataError, match="makes no tasks of its own; give it some: data: FILE"):
        tasks(Without, "mine", 2, 5)
    with pytest.raises(DataError, match="must return a list of rows"):
        tasks(Counting, "mine", 2, 7)
    with pytest.raises(DataError, match=r"tasks\(2, nine\) raised TypeError"):
        tasks(Counting, "mine", 2, "nine")  # type: ignore[arg-type]


class Told(Counting):
    """Tasks that depend on a setting."""

    def __init__(self, *, word: str, other: int = 0) -> None:
        self.word = word

    @classmethod
    def tasks(cls, count: int, seed: int, *, word: str = "none") -> Any:
        """Repeat the word."""
        if word == "bad":
            raise ConfigError("word is bad")
        return [{"prompt": word}] * count


def test_tasks_get_the_settings_that_they_name() -> None:
    assert tasks(Told, "told", 1, 0, {"word": "yes", "other": 3}) == [("environment told:0", {"prompt": "yes"})]
    assert tasks(Told, "told", 1, 0)[0][1] == {"prompt": "none"}
    with pytest.raises(ConfigError, match=r"^word is bad$"):
        tasks(Told, "told", 1, 0, {"word": "bad"})
