"""Processes that hold episodes: an environment that does harm loses its own episode, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from posttrain.environments.environment import Action, Outcome
from posttrain.environments.hosts import Hosts
from posttrain.environments.wire import Opening
from posttrain.errors import ConfigError
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault
from tests.environments import odd

PATH = f"{odd.__file__}:Odd"


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    made = Hosts(PATH, {}, workers=1, timeout=2.0, memory=0.4)
    yield made
    made.close()


def begin(hosts: Hosts, *keys: str) -> None:
    for key in keys:
        hosts.begin(key, Prompt(0, "Hi"), seed=1)
    answers = dict(every(hosts, len(keys)))
    assert all(isinstance(answers[key], Opening) for key in keys)


def every(hosts: Hosts, count: int) -> list[tuple[Any, Any]]:
    answers: list[tuple[Any, Any]] = []
    while len(answers) < count:
        got = hosts.ready(block=True)
        assert got, "nothing was asked"
        answers += got
    return answers


def told(hosts: Hosts, key: str, text: str) -> Any:
    hosts.step(key, Action(text))
    ((answered, outcome),) = every(hosts, 1)
    assert answered == key
    return outcome


def said(outcome: Outcome) -> str:
    return str(outcome.messages[0]["content"])


@pytest.mark.fault("E1")
@pytest.mark.parametrize(
    ("word", "kind", "says"),
    [
        ("die", "died", "exit code 3"),
        ("memory", "raised", "MemoryError"),
        ("raise", "raised", "IndexError"),
        ("none", "result", "step returned NoneType"),
    ],
)
def test_a_fault_ends_its_episode_alone(hosts: Hosts, word: str, kind: str, says: str) -> None:
    begin(hosts, "a", "b")
    assert said(told(hosts, "b", "one")) == "one"
    fault = told(hosts, "a", word)
    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert says in fault.message
    assert said(told(hosts, "b", "two")) == "one two"  # played again where the process was lost
    hosts.end("b")
    assert hosts.ready(block=True) == []


@pytest.mark.fault("E1")
def test_a_step_that_hangs_is_killed(hosts: Hosts) -> None:
    begin(hosts, "a", "b")
    hosts.timeout = 0.2
    hosts.step("a", Action("hang"))
    hosts.step("b", Action("one"))
    answers = dict(every(hosts, 2))
    hosts.timeout = 2.0
    assert answers["a"].kind == "deadline"
    assert "gave no answer within 0.2 s" in answers["a"].message
    assert said(answers["b"]) == "one"
    hosts.abandon()


def test_what_forks_and_prints_goes_on(hosts: Hosts) -> None:
    begin(hosts, "a")
    assert said(told(hosts, "a", "fork")) == "fork"
    assert said(told(hosts, "a", "print")) == "fork print"
    assert told(hosts, "a", "stop").done
    (printed,) = hosts.printed
    hosts.printed.clear()
    assert printed.who == f"environment {PATH}"
    assert len(printed.text) < 30_000
    assert printed.text.endswith("more bytes")


def test_a_class_that_cannot_be_made_ends_the_run() -> None:
    made = Hosts(PATH.replace("Odd", "Absent"), {}, workers=1)
    made.begin("a", Prompt(0, "Hi"), seed=1)
    with pytest.raises(ConfigError, match="there is no 'Absent'"):
        made.ready(block=True)
    made.close()


def test_what_cannot_be_sent_names_its_record(hosts: Hosts) -> None:
    hosts.begin("a", Prompt(0, "Hi", {"odd": object()}, where="data.jsonl:3"), seed=1)
    with pytest.raises(ConfigError, match="data.jsonl:3 cannot be sent"):
        hosts.ready(block=True)
    hosts.abandon()
