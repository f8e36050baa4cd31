"""docs/environments.md: its first environment plays, and its run file is one."""

from __future__ import annotations

import re
from pathlib import Path

from posttrain.config.load import load
from posttrain.environments import lookup
from posttrain.environments.environment import Action
from posttrain.environments.tasks import tasks
from posttrain.records import Prompt

PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found, *_ = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_first_environment(tmp_path: Path) -> None:
    (tmp_path / "guess.py").write_text(block("python"))
    (tmp_path / "run.yaml").write_text(block("yaml"))
    run = load(tmp_path / "run.yaml")
    assert run.environment is not None
    made = lookup.load(run.environment.path)
    _, row = tasks(made, "guess", 3, 1)[2]
    game = made()
    assert game.reset(Prompt(0, row["prompt"], row), 0)[0]["content"] == "Guess my number."
    low = game.step(Action("Is it 0?"))
    assert (low.messages[0]["content"], low.reward, low.done) == ("Larger.", -0.1, False)
    assert game.step(Action("No idea")).messages[0]["content"] == "Say a number."
    right = game.step(Action(f"It is {row['number']}."))
    assert (right.reward, right.done) == (1.0, True)
