"""Agents that only know OpenAI's protocol: played alone, in a process that may be killed, and trained."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.data.dataset import Dataset
from posttrain.environments.bundled.agent import Agent
from posttrain.environments.chat.request import RequestError
from posttrain.environments.environment import Action, Call, Outcome
from posttrain.environments.hosts import Hosts
from posttrain.errors import ConfigError
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.rewards.workers.call import Fault
from tests.environments.bundled import agents
from tests.environments.playing import Played, play, prompt_of
from tests.harness.settings import problems

TASK = {"prompt": "Count.", "level": 3}


def agent(name: str) -> Agent:
    return Agent(agent=f"{agents.__file__}:{name}")


def played(name: str, *answers: str | Action, task: dict[str, Any] = TASK) -> Played:
    given = iter(answers)
    return play(agent(name), task, lambda _: next(given))


def test_an_episode_of_two_requests() -> None:
    found = played("two_turns", "abc", "1 and 2")
    assert found.begin == ({"role": "user", "content": "Count."},)
    assert found.outcomes == [
        Outcome(({"role": "user", "content": "3!"},), info={"unused": "temperature=0.5"}),
        Outcome(reward=2.0, done=True),
    ]
    assert agent("two_turns").solve is Agent(agent=agents.__file__).solve


def test_a_coroutine_without_a_reward() -> None:
    assert played("waits", "x").outcomes == [Outcome(done=True)]


def test_calls_are_the_agents_to_execute() -> None:
    world = agent("calls")
    try:
        assert [m["role"] for m in world.reset(prompt_of(TASK), 0)] == ["system", "user"]
        assert world.tools() == (agents.TOOL,)
        first = world.step(Action("<add>", "", (Call("add", {"a": 2, "b": 3}, "call00000"),)))
        assert first.messages == ({"role": "tool", "name": "add", "content": "5", "tool_call_id": "call00000"},)
        last = world.step(Action("<add>", "", (Call("add", {}, "x"),), unread=("no JSON",), ended=False))
        assert last == Outcome(reward=1.0, done=True, info={"unread": 1})
    finally:
        world.close()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("edits", "message 2 is .*I said this.* instead of .*'x'.*append the answer's message as it came"),
        ("forgets", "message 1 is .*Another one.*one conversation in each call"),
        ("prefills", "no words of the assistant"),
        ("repeats", "something new behind the answer"),
        ("changes_tools", "send those of the first request"),
    ],
)
def test_a_request_that_does_not_continue_the_conversation_fails_even_an_agent_that_goes_on(name, says) -> None:
    with pytest.raises(RequestError, match=says):
        played(name, "x")


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ({"options": {"stream": True}}, "400 stream=true is not supported in training; send false or leave it out"),
        ({"options": {"n": 2}}, "400 n=2 is not supported in training; send 1 or leave it out"),
        ({"key": "wrong"}, "401 the API key is that of no episode; use the api_key that solve was given"),
    ],
)
def test_what_is_not_supported_is_an_error_of_the_protocol(task, says) -> None:
    assert played("told", "x", task={"prompt": "", **task}).begin[0]["content"] == says


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("raises", LookupError, "no such page"),
        ("silent", RuntimeError, "before its first request"),
        ("words", ValueError, "returned 'good'; return a number, or None"),
    ],
)
def test_an_agent_that_fails_has_no_score(name, error, says) -> None:
    with pytest.raises(error, match=says):
        played(name, "x")


def test_an_agent_that_does_not_wait_for_its_answer_has_no_score() -> None:
    world, leave = agent("solve"), threading.Event()

    def hasty(task, base_url, api_key):
        def asking():
            with suppress(OSError):
                agents.ask(base_url, api_key, [agents.user("Hi")])

        threading.Thread(target=asking, daemon=True).start()
        leave.wait()
        return 1.0

    world.solve = hasty
    world.reset(prompt_of(TASK), 0)
    leave.set()
    assert world.thread is not None
    world.thread.join()
    with pytest.raises(RequestError, match="did not wait for the answer"):
        world.step(Action("x", "x"))
    world.close()


def test_an_episode_that_is_cut_ends_its_agent() -> None:
    world = agent("two_turns")
    world.reset(prompt_of(TASK), 0)
    world.close()
    assert world.thread is not None
    assert not world.thread.is_alive()


def test_an_agent_that_hangs_is_ended() -> None:
    made = Hosts("agent", {"agent": f"{agents.__file__}:hangs"}, workers=1, timeout=2.0, memory=1.0)
    answers: list[Any] = []
    try:
        made.begin(0, Prompt(0, "hang"), 1)
        made.ready(block=True)
        made.step(0, Action("x", "x"))
        answers = made.ready(block=True)
    finally:
        made.close()
    ((_, fault),) = answers
    assert isinstance(fault, Fault)
    assert fault.kind == "deadline"


def test_training(tmp_path) -> None:
    (tmp_path / "task.jsonl").write_text(json.dumps({"prompt": "Count."}))
    (tmp_path / "mine.py").write_text(f"from {agents.__name__} import two_turns as solve\n")
    (tmp_path / "run.yaml").write_text(json.dumps({
        "model": "tiny", "method": {"path": "online/grpo", "kl.weight": 0}, "data": str(tmp_path / "task.jsonl"),
        "environment": {"path": "agent", "agent": "mine.py", "workers": 1},
        "sampling": {"samples": 2, "max_tokens": 6}, "train": {"steps": 1, "prompts_per_step": 1},
    }))  # fmt: skip
    with open_session(load(tmp_path / "run.yaml"), write=False) as session:
        (e,) = session.sample([Prompt(0, "Count.")])
        found = session.train("online/grpo", Dataset((Prompt(0, "Count."),), "tasks"))
    assert (found["environment/turns"], found["errors/environment"]) == (2.0, 0.0)
    assert "rewards/environment/mean" in found
    assert [s.author for s in e.segments] == [0, None, 0]
    one, between, two = e.segments
    end = "" if one.ended else "<|end|>"
    assert between.text == f"{end}<|user|>{len(one.text)}!<|end|><|assistant|>"
    assert two.reward == sum(c.isdigit() for c in two.text)


def test_its_settings() -> None:
    assert not problems(Agent)
    with pytest.raises(ConfigError, match="defines no function nobody"):
        agent("nobody")
