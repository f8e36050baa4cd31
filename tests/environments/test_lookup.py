"""Environments by name: what is found, and what the error says of what is not."""

from pathlib import Path

import pytest

from posttrain.environments import lookup
from posttrain.errors import ConfigError

HEAD = "from posttrain.environments.environment import Environment, Outcome\n"
ECHO = "class Echo(Environment):\n    def step(self, action):\n        return Outcome()\n"
SET = "class Set(Environment):\n    def __init__(self, *, level: int = 1, goal: str):\n        self.level = level\n"
SET += "    def step(self, action):\n        return Outcome()\n"
HALF = "class Half(Environment):\n    pass\n"


def file(folder: Path, text: str) -> str:
    (folder / "mine.py").write_text(HEAD + text)
    return str(folder / "mine.py")


def test_the_environment_of_a_file(tmp_path: Path) -> None:
    assert lookup.load(file(tmp_path, HALF + ECHO)).__name__ == "Echo"
    assert lookup.load("mine.py", tmp_path).__name__ == "Echo"
    assert lookup.load("mine.py:Echo", tmp_path).__name__ == "Echo"


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        (ECHO + ECHO.replace("Echo", "Other"), "mine.py", "defines Echo, Other; write mine.py:Echo"),
        (HALF, "mine.py", "Half lacks step"),
        ("x = 1\n", "mine.py", "defines no environment"),
        (ECHO, "mine.py:Ecko", r"did you mean 'Echo'"),
        ("1 / 0\n", "mine.py", "fails at import: ZeroDivisionError"),
        ("", "other.py", "other.py does not exist"),
        ("", "twenty_question", "no environment 'twenty_question'"),
    ],
)
def test_what_is_not_found(tmp_path: Path, text: str, path: str, says: str) -> None:
    file(tmp_path, text)
    with pytest.raises(ConfigError, match=says):
        lookup.load(path, tmp_path)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "needs the setting 'goal'"),
        ({"goal": "x", "levle": 2}, "did you mean 'level'"),
        ({"goal": "x", "level": "two"}, "environment.level: 'two'"),
    ],
)
def test_settings(tmp_path: Path, settings: dict[str, object], says: str) -> None:
    made = lookup.load(file(tmp_path, SET))
    lookup.check(made, {"goal": "x", "level": 2}, "mine.py")
    with pytest.raises(ConfigError, match=says):
        lookup.check(made, settings, "mine.py")


def test_settings_are_keyword_only(tmp_path: Path) -> None:
    made = lookup.load(file(tmp_path, SET.replace("*, level: int = 1", "level")))
    with pytest.raises(ConfigError, match=r"takes 'level' by position; write def __init__\(self, \*, level, goal"):
        lookup.check(made, {}, "mine.py")


def test_every_bundled_file_has_the_class_of_its_name() -> None:
    for name in lookup.bundled():
        assert lookup.load(name).__name__ == lookup.class_name(name)


def test_a_function_of_a_file(tmp_path: Path) -> None:
    path = file(tmp_path, "def solve(): ...\ndef other(): ...\n")
    assert lookup.function(path, "agent", "solve").__name__ == "solve"
    assert lookup.function(f"{path}:other", "agent", "solve").__name__ == "other"
    with pytest.raises(ConfigError, match="defines no function nobody"):
        lookup.function(f"{path}:nobody", "agent", "solve")
    with pytest.raises(ConfigError, match="does not exist"):
        lookup.function(str(tmp_path / "none.py"), "agent", "solve")
