"""Overrides: three spellings, values as YAML, short forms that grow when a key inside them is set."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.config import RunFile, load
from posttrain.errors import ConfigError

LEAST = {"model": "smollm2", "method": "online/grpo", "data": "d.jsonl"}


def run(*overrides: str, **keys: Any) -> RunFile:
    return load({**LEAST, **keys}, overrides)


@pytest.mark.parametrize(
    "arguments", [["train.steps=50"], ["--train.steps", "50"], ["--train.steps=50"], ["--max-steps", "50"]]
)
def test_three_spellings(arguments: list[str]) -> None:
    assert run(*arguments).train.steps == 50


def test_values_are_yaml() -> None:
    made = run("train.learning_rate=1e-5", "rewards=[a, {b: 0.5}]", "train.max_grad_norm=null", "name=on", "seed=7")
    assert (made.train.learning_rate, made.train.max_grad_norm, made.name, made.seed) == (1e-5, None, "on", 7)
    assert [(r.path, r.weight) for r in made.rewards] == [("a", 1.0), ("b", 0.5)]
    assert run("train.learning_rate={policy: 1e-6, critic: 1e-5}").train.learning_rate == {
        "policy": 1e-6,
        "critic": 1e-5,
    }
    assert run("data=arithmetic:level=2").data["main"].path == "arithmetic:level=2"
    assert run("name='50'").name == "50"


def test_a_key_inside_a_short_form_writes_it_out() -> None:
    method = run("method.clipped_surrogate.high=0.28").method
    assert method is not None
    assert (method.path, method.settings) == ("online/grpo", {"clipped_surrogate.high": 0.28})
    model = run("model.dtype=float32", "model.lora.rank=8").model
    assert model.lora is not None
    assert (model.path, model.dtype, model.lora.rank) == ("smollm2", "float32", 8)
    data = run("data.columns.prompt=question", "--data.size=9").data
    assert (data["main"].path, data["main"].columns, data["main"].size) == ("d.jsonl", {"prompt": "question"}, 9)
    assert run("evaluate.data.size=3", evaluate={"data": "e"}).evaluate.data.path == "e"  # type: ignore[union-attr]
    assert run("models.critic.dtype=float32", models={"critic": "c"}).models["critic"].path == "c"
    endpoint = run("models.judge.endpoint.budget.requests=9", models={"judge": {"endpoint": {"model": "m"}}})
    assert endpoint.models["judge"].endpoint == {"model": "m", "budget": {"requests": 9}}
    assert run("data.ptx.size=4", data={"main": "a", "ptx": "b"}).data["ptx"].path == "b"
    rewards = run("rewards.1.weight=2", "rewards.0.limit=5", rewards=["a", {"b": 0.5}]).rewards
    assert [(r.path, r.weight, r.settings) for r in rewards] == [("a", 1.0, {"limit": 5}), ("b", 2.0, {})]


def test_settings_of_the_method_are_dotted_however_they_were_written() -> None:
    nested = {"path": "online/ppo", "gae": {"lam": 0.9, "gamma": 1.0}}
    method = run("method.gae.lam=0.95", method=nested).method
    assert method is not None
    assert method.settings == {"gae.lam": 0.95, "gae.gamma": 1.0}


def test_settings_of_a_procedure_stay_nested() -> None:
    made = run("procedure.rounds=3", "procedure.inner.steps=5", method=None, procedure={"path": "p", "inner": {"a": 1}})
    assert made.procedure is not None
    assert made.procedure.settings == {"inner": {"a": 1, "steps": 5}, "rounds": 3}


def test_later_wins_and_a_whole_value_replaces_what_was_inside() -> None:
    assert run("train.steps=1", "train.steps=2").train.steps == 2
    data = run("data={path: b}", "data.size=3", data={"path": "a", "chat": True}).data["main"]
    assert (data.path, data.chat, data.size) == ("b", False, 3)


def test_the_mapping_of_the_caller_is_left_alone() -> None:
    values = {**LEAST, "train": {"steps": 1}}
    load(values, ["train.steps=2", "model.dtype=float32"])
    assert values == {**LEAST, "train": {"steps": 1}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.stpes=5"], "command line: train.stpes is not a key of the run file (did you mean 'train.steps'?)"),
        (["foo.bar.baz=5"], "command line: foo is not a key of the run file"),
        (["data.colums.prompt=q"], "command line: data.colums"),
        (["train.steps=five"], "command line: train.steps is 'five'; expected a whole number"),
        (["train.steps"], "command line: expected key=value or --key value, not 'train.steps'"),
        (["--train.steps"], "command line: --train.steps needs a value"),
        (["--train.steps", "--seed", "1"], "command line: --train.steps needs a value"),
        (["=5"], "command line: '' is no key"),
        (["train.=5"], "command line: 'train.' is no key"),
        (["seed.x=1"], "command line: seed.x: there is the value 3, which has no key 'x'"),
        (["rewards.2.weight=1"], "command line: rewards.2.weight: a list of 1; its entries are 0 to 0"),
        (["rewards.first.weight=1"], "a list of 1"),
        (["rewards=[a"], "command line: rewards:1:3: not valid YAML"),
        (["train.epochs=2", "train.steps=5"], "train: steps=5 and epochs=2 both say when to stop"),
    ],
)
def test_overrides_that_cannot_be_right(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(*arguments, seed=3, rewards=["a"])
    assert message in str(caught.value)


def test_another_file_keeps_the_columns_of_the_data() -> None:
    data = run("data=other.jsonl", data={"path": "a.jsonl", "columns": {"prompt": "question"}}).data["main"]
    assert (data.path, data.columns) == ("other.jsonl", {"prompt": "question"})
    held = run("evaluate.data=b", evaluate={"data": {"path": "a", "columns": {"prompt": "q"}}}).evaluate
    assert held is not None
    assert (held.data.path, held.data.columns) == ("b", {"prompt": "q"})


@pytest.mark.fault("M8")
def test_another_model_keeps_its_adapters(caplog: pytest.LogCaptureFixture) -> None:
    whole = {"path": "a", "revision": "main", "dtype": "float32", "lora": {"rank": 4}}
    model = run("model=other", model=whole, models={"critic": whole}).model
    assert model.lora is not None
    assert (model.path, model.revision, model.dtype, model.lora.rank) == ("other", None, "float32", 4)
    assert caplog.messages == [
        "command line: model=other drops model.revision, which belonged to a; to keep the rest as well, set model.path"
    ]
    critic = run("models.critic=other", models={"critic": whole}).models["critic"]
    assert (critic.path, critic.lora, critic.revision) == ("other", model.lora, None)
    assert run("models.critic=policy", models={"critic": whole}).models["critic"].shared
    assert run("model=a", model=whole).model.revision == "main"


@pytest.mark.fault("M8")
def test_the_settings_of_another_method_are_dropped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    method = run("method=online/rloo", method={"path": "online/grpo", "kl": {"weight": 0}}).method
    assert method is not None
    assert (method.path, method.settings) == ("online/rloo", {})
    assert "method=online/rloo drops method.kl.weight, which belonged to online/grpo" in caplog.text
    reward = run("rewards.0=b", rewards=[{"path": "a", "weight": 2, "limit": 5}]).rewards[0]
    assert (reward.path, reward.weight, reward.settings) == ("b", 2, {})
    judge = run("models.judge=m", models={"judge": {"endpoint": {"model": "x"}}}).models["judge"]
    assert (judge.path, judge.endpoint) == ("m", None)
