"""Reward models of another make in whole runs: in this process, behind a server, several by name; none asked twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.endpoint.failure import ReplyError
from posttrain.launch.run import open_session
from posttrain.rewards.bundled.reward_server import reward_server
from posttrain.training.session import Session
from tests.endpoint.server import Server, send, status
from tests.harness.runs import SHORT, SUMS, Interrupt, PowerCut, metrics, run, same_bits
from tests.roles.folders import classifier
from tests.roles.test_model import classified

BRIEF = [f"{k}={v}" for k, v in {**SHORT, "train.prompts_per_step": 2}.items()]
GRPO: dict[str, Any] = {
    "model": "tiny",
    "method": "online/grpo",
    "data": f"{SUMS},size=4",
    "train": {"steps": 2, "save_every": 1},
    "sampling": {"samples": 2},
}
SHAPES = {
    "classify": lambda x: {"label": "LABEL_0", "probs": [x], "num_classes": 1},
    "pooling": lambda x: {"object": "pooling", "data": [[-7.0], [x]]},  # a number for each token
    "score": lambda x: {"object": "score", "score": x},
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("classifier")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> tuple[Any, Any]:
    return classifier(folder)


def serving(score: Any) -> Any:
    """A server of vLLM's protocols, whose model is a function of the request."""

    def behave(handler: Any, body: dict[str, Any]) -> None:
        entry = {"index": 0, **SHAPES[handler.path.strip("/")](score(body))}
        send(handler, json.dumps({"object": "list", "model": body["model"], "data": [entry]}).encode())

    return behave


def model_entry(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"path": "reward_model", "model": {"path": str(folder), "dtype": "float32"}, **changes}


def scored(output: Path, rewards: list[Any], **changes: Any) -> list[Any]:
    with open_session(load({**GRPO, "rewards": rewards, **changes}, [f"output={output}", *BRIEF])) as s:
        return s.collect("a", prompts(s), s.sampling(samples=2))


def prompts(s: Session) -> Any:
    return s.dataset(s.run.file.data["main"], "prompts")


def test_the_same_model_from_disk_and_from_servers_gives_the_same_rewards(
    tmp_path: Path, folder: Path, theirs: Any
) -> None:
    """Plain transformers serves it; a function and weights stand beside."""
    with Server(serving(lambda body: classified(theirs, body["messages"]))) as server:
        at = {"path": "reward_server", "endpoint": server.endpoint()}
        entries = [
            model_entry(folder, name="disk"),
            {**at, "name": "classified", "weight": 0.5},
            {**at, "name": "pooled", "api": "pooling", "weight": 0},
            {"path": "regex_format", "pattern": ".*", "weight": 2},
        ]
        episodes = scored(tmp_path, entries)
    assert len({e.rewards["disk"] for e in episodes}) > 4
    for e in episodes:
        own = e.rewards
        assert own["disk"] == pytest.approx(own["classified"], abs=1e-5)
        assert own["classified"] == own["pooled"]
        assert e.reward == pytest.approx(own["disk"] + 0.5 * own["classified"] + 2)
    assert {b["use_activation"] for b in server.bodies} == {False}


@pytest.mark.usefixtures("theirs")
def test_a_killed_run_with_a_server_asks_nothing_twice(tmp_path: Path, folder: Path) -> None:
    def length(body: dict[str, Any]) -> float:
        return len(body["messages"][-1]["content"]) / 7

    with Server(serving(length)) as server:
        at = {"path": "reward_server", "endpoint": server.endpoint()}
        content = {**GRPO, "method": "online/ppo", "rewards": [at, model_entry(folder)]}
        whole = run(content, tmp_path / "whole", *BRIEF)
        asked = len(server.bodies)
        with pytest.raises(Interrupt):
            run(content, tmp_path / "cut", *BRIEF, "name=cut", display=PowerCut(1))
        resumed = run(content, tmp_path / "cut", *BRIEF, "name=cut", resume=True)
        assert len(server.bodies) == 2 * asked
    assert same_bits(whole, resumed)
    assert metrics(whole) == metrics(resumed)
    assert all(row["rewards/reward_model/std"] > 0 and row["rewards/reward_server/std"] > 0 for row in metrics(whole))


def test_grpo_that_is_killed_asks_a_server_about_no_answer_twice(tmp_path: Path) -> None:
    with Server(serving(lambda body: len(body["messages"][-1]["content"]) / 7)) as server:
        content = {**GRPO, "rewards": [{"path": "reward_server", "endpoint": server.endpoint()}]}
        with pytest.raises(Interrupt):
            run(content, tmp_path, *BRIEF, "name=cut", display=PowerCut(1))
        resumed = run(content, tmp_path, *BRIEF, "name=cut", resume=True)
        asked = [json.dumps(body["messages"]) for body in server.bodies]
    assert len(set(asked)) == len(asked) > 4
    assert [row["step"] for row in metrics(resumed)] == [1, 2]


def test_a_role_of_the_run_is_a_reward_model_by_its_name(tmp_path: Path, folder: Path, theirs: Any) -> None:
    models = {"safety": {"path": str(folder), "dtype": "float32"}}
    named = {"path": "reward_model", "model": "safety"}
    (first, *_) = scored(tmp_path, [named, {**named, "name": "again", "weight": -1}], models=models)
    talk = [{"role": "user", "content": first.prompt.prompt}, {"role": "assistant", "content": first.text}]
    assert first.rewards["reward_model"] == pytest.approx(classified(theirs, talk), abs=1e-5)
    assert first.reward == pytest.approx(0, abs=1e-9)


def test_a_pair_is_scored_as_prompt_and_answer() -> None:
    turns = [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "so"}]
    with Server(serving(lambda body: len(body["text_1"]) - 10 * len(body["text_2"]))) as server:
        assert reward_server(["why?"], ["so"], [turns], endpoint=server.endpoint(), api="score") == [4 - 20]
    assert server.bodies[0]["path"] == "/score"


def test_a_request_that_fails_fails_alone() -> None:
    turns = [[{"role": "user", "content": "?"}, {"role": "assistant", "content": text}] for text in ("a", "b", "c")]

    def grumpy(handler: Any, body: dict[str, Any]) -> None:
        said = body["messages"][-1]["content"]
        behave = {"a": status(500), "b": serving(lambda _: [0.5, 0.5]), "c": serving(lambda _: 0.25)}[said]
        behave(handler, body)

    with Server(grumpy) as server:
        one, two, three = reward_server(["?"] * 3, ["a", "b", "c"], turns, endpoint=server.endpoint(attempts=1))
    assert isinstance(one, ReplyError)
    assert isinstance(two, ReplyError)
    assert "a reward model gives one number" in str(two)
    assert three == 0.25


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"path": "reward_model"}, "needs the setting 'model'"),
        ({"path": "reward_model", "model": {"folder": "x"}}, r"rewards.model: .*folder"),
        ({"path": "reward_model", "model": {"path": "policy"}}, "model: policy"),
        (
            {"path": "reward_model", "model": {"endpoint": {"url": "http://x"}}},
            "rewards.model: endpoint.model is missing",
        ),
        ({"path": "reward_model", "model": "no/such/folder"}, "no/such/folder"),
    ],
)
def test_what_names_no_model_is_an_error(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        open_session(load({**GRPO, "rewards": [entry]}, [f"output={tmp_path}", *BRIEF]))
