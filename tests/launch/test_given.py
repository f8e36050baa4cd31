"""What may be given in Python in place of names, and what an error says of anything else."""

from __future__ import annotations

import functools
import re

import datasets
import pytest
import torch

import posttrain
from posttrain.config.load import load
from posttrain.data.dataset import from_rows
from posttrain.errors import ConfigError
from posttrain.launch.checks import procedure_of
from posttrain.launch.given import Objects
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.rewards.reward import Reward
from tests.environments import odd
from tests.environments.odd import Odd
from tests.rewards import faulty

ROWS = [{"prompt": f"{i}+1=", "answer": str(i + 1)} for i in range(3)]


class Model(torch.nn.Linear):
    config = None


class Tokenizer:
    def get_vocab(self): ...


def brevity(completions): ...


MODEL, TOKENIZER = Model(2, 2), Tokenizer()


@pytest.mark.parametrize(
    ("section", "value", "name"),
    [
        ("data", ROWS, "given:3-rows-"),
        ("data", datasets.Dataset.from_list(ROWS), "given:3-rows-"),
        ("data", from_rows(ROWS, "prompts"), "given:Dataset-"),
        ("model", (MODEL, TOKENIZER), "given:Model-"),
        ("method", posttrain.variant(DPO, name="my own"), "given:my-own-"),
        ("procedure", brevity, "given:brevity-"),
        ("rewards", brevity, "given:brevity-"),
        ("rewards", faulty.Scaled(), "given:Scaled-"),
        ("rewards", functools.partial(faulty.brevity, limit=3), "given:brevity-"),
        ("rewards", lambda completions: [], "given:-lambda--"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_an_object_gets_a_name_with_its_fingerprint(section, value, name):
    first, second = named(section, value), named(section, value)
    assert re.fullmatch(re.escape(name) + "[0-9a-f]{8,16}", first[0])
    assert first[0] == second[0]
    assert list(first[1].values())[0] is value or section == "model"


def named(section, value):
    objects = Objects()
    match section:
        case "data":
            made = objects.data(value)
        case "model":
            made = objects.model(value, None)
        case "rewards":
            (made,) = objects.rewards(value)
        case _:
            made = objects.code(value, section)
    return made, objects


def test_other_content_has_another_fingerprint():
    assert named("data", ROWS)[0] != named("data", ROWS[:2])[0] != named("data", [ROWS[1], ROWS[0]])[0]
    assert named("data", ROWS)[0] == named("data", datasets.Dataset.from_list(ROWS))[0]
    before = named("model", (MODEL, TOKENIZER))[0]
    changed = Model(2, 2)
    assert named("model", (changed, TOKENIZER))[0] != before
    other = posttrain.variant(DPO, name="my own", metrics={})
    assert named("method", other)[0] != named("method", posttrain.variant(DPO, name="my own"))[0]
    assert named("rewards", functools.partial(brevity, x=1))[0] != named("rewards", functools.partial(brevity, x=2))[0]


def test_sections_and_streams_hold_objects_too():
    objects = Objects()
    assert objects.data({"path": ROWS, "columns": {"prompt": "q"}})["columns"] == {"prompt": "q"}
    assert objects.data(["a.jsonl", {"path": ROWS, "weight": 2.0}])[1]["path"] in objects
    assert objects.data({"mix": ["a.jsonl", {"path": ROWS, "weight": 2.0}], "chat": True})["mix"][1]["path"] in objects
    assert objects.data({"main": ROWS, "other": "a.jsonl"})["other"] == "a.jsonl"
    assert objects.evaluate({"data": ROWS, "every": 2})["every"] == 2
    assert objects.code({"path": DPO, "beta": 0.2}, "method")["beta"] == 0.2
    assert objects.model({"path": MODEL, "lora": {}}, TOKENIZER)["lora"] == {}
    assert objects.role((MODEL, TOKENIZER), "reward").startswith("given:Model-")
    assert objects.rewards([{"path": brevity, "weight": 2.0}, {brevity: 0.5}, "math_answer", "x"])[2:] == [
        "math_answer",
        "x",
    ]
    assert len(objects) == 4  # equal ones have one name


def test_names_stay_as_they_are():
    objects = Objects()
    assert objects.data("a.jsonl") == "a.jsonl"
    assert objects.data({"path": "a.jsonl", "size": 3}) == {"path": "a.jsonl", "size": 3}
    assert objects.model({"path": "tiny", "lora": {}}, None) == {"path": "tiny", "lora": {}}
    assert objects.code({"path": "preference/dpo", "beta": 1}, "method") == {"path": "preference/dpo", "beta": 1}
    assert objects.rewards("math_answer") == ["math_answer"]
    assert objects.rewards({"math_answer": 0.5}) == [{"path": "math_answer", "weight": 0.5}]
    assert objects.code(None, "procedure") is objects.data(None) is objects.evaluate(None) is None
    assert not objects


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda o: o.data(3), "data: int is not taken; give a file, .*list of rows"),
        (lambda o: o.data(iter(ROWS)), "list_iterator is not taken"),
        (lambda o: o.data([1, 2]), "data: list is not taken"),
        (lambda o: o.data([]), "data: 0 rows"),
        (lambda o: o.data({"prompt": ["a"], "answer": ["b"]}), "data.prompt: a list of str, so this is a mapping of"),
        (lambda o: o.data(datasets.DatasetDict(train=datasets.Dataset.from_list(ROWS))), "one of the splits.*: train"),
        (lambda o: o.data({"main": 3}), "data.main: int is not taken"),
        (lambda o: o.evaluate(ROWS), "evaluate: list is not taken; give a mapping"),
        (lambda o: o.model(3, None), "model: int is not taken; give a name"),
        (lambda o: o.model(MODEL, None), r"Model needs its tokenizer: train\(model, tokenizer=tokenizer\)"),
        (lambda o: o.model("tiny", TOKENIZER), "tokenizer is for a loaded model"),
        (lambda o: o.role(MODEL, "reward"), r"models.reward: give a pair \(model, tokenizer\)"),
        (lambda o: o.code(3, "method"), "method: int is not taken; give a name.*posttrain.Method"),
        (lambda o: o.code(brevity, "method"), "method: function is not taken"),
        (lambda o: o.rewards(3), "rewards: int is not taken; give a function"),
        (lambda o: o.rewards([3]), "rewards: int is not taken"),
    ],
)
def test_an_error_says_what_is_taken(call, said):
    with pytest.raises(ConfigError, match=said):
        call(Objects())


def test_a_reward_record_keeps_its_weight():
    objects = Objects()
    (entry,) = objects.rewards(Reward("r", brevity, 2.0))
    assert (entry["weight"], objects[entry["path"]].name) == (2.0, "r")


def test_the_class_of_an_environment_becomes_its_file():
    assert Objects().environment(Odd) == f"{odd.__file__}:Odd"
    assert Objects().environment({"path": Odd, "closed": "x"}) == {"path": f"{odd.__file__}:Odd", "closed": "x"}
    assert Objects().environment("search") == "search"

    class Here(Odd):
        pass

    with pytest.raises(ConfigError, match="write it into a file"):
        Objects().environment(Here)
    with pytest.raises(ConfigError, match="environment: int is not taken"):
        Objects().environment(3)


def test_a_procedure_without_data_in_the_file_gets_its_records_from_python():
    run = {"model": "tiny", "procedure": "rounds/rise"}
    assert procedure_of(load(run, complete=False)).__name__ == "rise"
    with pytest.raises(ConfigError, match="reads prompts; prompts is missing"):
        procedure_of(load({**run, "data": {"pairs": "arithmetic"}}, complete=False))
