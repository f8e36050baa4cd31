"""Inside the process of an environment: what its steps return, and what becomes of nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.environments import wire
from posttrain.environments.environment import Action
from posttrain.environments.host import Host
from posttrain.records import Prompt
from tests.environments import odd

PATH = odd.__file__


class Inside:
    """A host in this process."""

    def __init__(self, name: str = "Odd", **settings: Any) -> None:
        self.host = Host(lambda: None)
        self.path, self.settings = f"{PATH}:{name}", settings

    def begin(self, *, prompt: str = "Hi", past: Any = (), seed: int = 1) -> dict[str, Any]:
        said = wire.plain_prompt(Prompt(0, prompt))
        return self._ask("begin", settings=self.settings, prompt=said, seed=seed, past=past)

    def step(self, text: str) -> dict[str, Any]:
        return self._ask("step", action=wire.plain_action(Action(text)))

    def end(self) -> dict[str, Any]:
        return self._ask("end")

    def _ask(self, what: str, **more: Any) -> dict[str, Any]:
        return self.host.answer({"what": what, "episode": 0, "path": self.path, **more})


def test_an_episode(tmp_path: Path) -> None:
    inside = Inside(closed=str(tmp_path / "closed"))
    assert inside.begin() == {"opening": {"messages": [{"role": "user", "content": "Hi"}], "tools": [], "choices": []}}
    outcome = inside.step("one")["outcome"]
    assert wire.outcome_of(outcome).messages[0]["content"] == "one"
    assert outcome["reward"] == 1.0
    assert inside.step("stop")["outcome"]["done"]
    assert not inside.host.episodes
    assert inside.end() == {"ended": True}
    assert (tmp_path / "closed").read_text() == "stop\n"


@pytest.mark.fault("E1")
@pytest.mark.parametrize("word", odd.NONSENSE)
def test_nonsense_is_a_fault(word: str, tmp_path: Path) -> None:
    inside = Inside(closed=str(tmp_path / "closed"))
    inside.begin()
    fault = inside.step(word)["fault"]
    assert fault["kind"] == "result"
    assert fault["message"].startswith(f"environment {PATH}:Odd: ")
    assert not inside.host.episodes
    assert (tmp_path / "closed").read_text() == f"{word}\n"


def test_what_it_raises_is_a_fault() -> None:
    inside = Inside()
    for word, says in (("raise", "IndexError"), ("exit", "SystemExit: enough")):
        inside.begin()
        fault = inside.step(word)["fault"]
        assert fault["kind"] == "raised"
        assert says in fault["message"]
    assert Inside("Absent").begin()["fault"]["kind"] == "setup"


def test_an_episode_goes_on_from_what_was_played() -> None:
    first, again = Inside(), Inside()
    first.begin()
    past = [[wire.plain_action(Action("one")), first.step("one")["outcome"]]]
    again.begin(past=past)
    assert again.step("two") == first.step("two")


def test_an_environment_that_does_not_replay_must_say_so() -> None:
    first = Inside("Forgetful")
    first.begin()
    past = [[wire.plain_action(Action("one")), first.step("one")["outcome"]]]
    fault = Inside("Forgetful").begin(past=past)["fault"]
    assert "turn 1 was answered otherwise" in fault["message"]
    assert "set replays = False" in fault["message"]
    assert "opening" in Inside("Live").begin(past=past)
