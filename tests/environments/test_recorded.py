"""What an environment answered that does not replay: a run that was killed gets the same answers, then new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.environments.environment import Action, Outcome
from posttrain.environments.hosts import Hosts
from posttrain.environments.recorded import Recorded
from posttrain.errors import StorageError
from posttrain.records import Prompt
from tests.environments import odd


def ready(hosts: Hosts) -> Any:
    ((_, answer),) = hosts.ready(block=True)
    return answer


def told(hosts: Hosts, *texts: str) -> list[Outcome]:
    hosts.begin("a", Prompt(0, "Hi"), seed=7, moment=3)
    ready(hosts)
    outcomes = []
    for text in texts:
        hosts.step("a", Action(text))
        outcomes.append(ready(hosts))
    return outcomes


def live(folder: Path) -> Hosts:
    return Hosts(f"{odd.__file__}:Live", {}, workers=1, recorded=Recorded(folder / "kept" / "environment.jsonl"))


def test_a_second_attempt_gets_the_answers_of_the_first(tmp_path: Path) -> None:
    first, second = live(tmp_path), None
    try:
        before = told(first, "one", "two")
        first.close()
        with (tmp_path / "kept" / "environment.jsonl").open("a") as file:
            file.write('{"key": [3, 7, 3], "act')  # cut off by the kill
        second = live(tmp_path)
        again = told(second, "one", "two", "three")
        assert again[:2] == before
        assert again[2] not in before
        other = told(second, "one")  # in the same attempt nothing is remembered
        assert other[0] != before[0]
    finally:
        first.close()
        if second is not None:
            second.close()


def test_another_action_gets_another_answer(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    kept = Recorded(file)
    kept.add((0, 7, 1), {"text": "one"}, {"n": 1})
    kept.add((0, 7, 2), {"text": "two"}, {"n": 2})
    kept.close()
    again = Recorded(file)
    assert again.take((0, 7, 1), {"text": "one"}) == {"n": 1}
    assert again.take((0, 7, 1), {"text": "one"}) is None
    assert again.take((0, 7, 2), {"text": "else"}) is None
    assert again.take((1, 7, 2), {"text": "two"}) is None


def test_an_answer_that_cannot_be_kept_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        Recorded(tmp_path / "kept" / "environment.jsonl").add((0, 0, 0), None, {})
