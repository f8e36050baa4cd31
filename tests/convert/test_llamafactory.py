"""LLaMA-Factory's YAML files as run files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from posttrain.convert.converter import checked, convert, convert_text
from posttrain.convert.draft import Draft
from posttrain.convert.llamafactory import NAMES, PEER, RULES
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError
from tests.convert.rules import check_lines, check_method, check_rule

BASE = {"model_name_or_path": "tiny", "dataset": "mine"}


def draft(given: dict[str, Any]) -> Draft:
    return convert(PEER, Settings({**BASE, **given}, peer="LLaMA-Factory"))


def values(given: dict[str, Any]) -> dict[str, Any]:
    made = draft(given)
    checked(text_of(made, "LLaMA-Factory", "test"))
    return made.values


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_does_what_it_says(key: str):
    check_rule(PEER, key, draft)


def test_the_names_are_keys_of_the_table():
    assert {old for names in NAMES.values() for old in names} <= set(RULES)


EXAMPLE = """
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
trust_remote_code: true
stage: dpo
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: all
pref_beta: 0.1
pref_loss: sigmoid  # choices: [sigmoid (dpo), orpo, simpo]
dataset: dpo_en_demo
template: llama3
cutoff_len: 2048
max_samples: 1000
overwrite_cache: true
preprocessing_num_workers: 16
output_dir: saves/llama3-8b/lora/dpo
logging_steps: 10
save_steps: 500
plot_loss: true
overwrite_output_dir: true
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 5.0e-6
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
ddp_timeout: 180000000
"""


def test_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    info = {
        "dpo_en_demo": {"file_name": "dpo.json", "ranking": True, "columns": {"messages": "turns", "chosen": "good"}}
    }
    (tmp_path / "data" / "dataset_info.json").write_text(json.dumps(info))
    (tmp_path / "dpo.yaml").write_text(EXAMPLE)
    text = convert_text("llamafactory", "dpo.yaml")
    checked(text)
    check_lines(
        text,
        "    rank: 8  # lora_rank",
        "    alpha: 16.0  # LLaMA-Factory's default of lora_alpha",
        "  dtype: bfloat16  # bf16",
        "  logistic.beta: 0.1  # pref_beta",
        "  path: data/dpo.json  # dataset, by dataset_info.json",
        '  columns: {"conversations": "turns", "chosen": "good"}  # dataset, by dataset_info.json: its columns',
        "  size: 1000  # max_samples",
        "  prompts_per_step: 8  # per_device_train_batch_size x gradient_accumulation_steps",
        "  warmup: 0.1  # warmup_ratio",
        "  schedule: cosine  # lr_scheduler_type",
        "# - trust_remote_code: true: code from the hub is never run; the model must be one of transformers' own",
    )
    assert "targets" not in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"path": "imitation/sft"}),
        ({"stage": "pt"}, {"path": "imitation/sft"}),
        ({"stage": "rm"}, {"path": "reward/bradley_terry"}),
        ({"stage": "dpo", "dpo_label_smoothing": 0.1}, {"path": "preference/dpo", "logistic.smoothing": 0.1}),
        ({"stage": "dpo", "pref_loss": "ipo", "pref_beta": 0.2}, {"path": "preference/ipo", "squared.tau": 0.2}),
        ({"stage": "dpo", "pref_loss": "orpo"}, {"path": "preference/orpo", "odds.weight": 0.1}),
        ({"stage": "dpo", "pref_loss": "simpo"}, {"path": "preference/simpo", "logistic.margin": 0.5}),
        ({"stage": "kto", "kto_rejected_weight": 2.0}, {"path": "preference/kto", "prospect.undesirable": 2.0}),
        ({"stage": "ppo", "reward_model": "rm", "max_new_tokens": 64}, {"path": "online/ppo", "passes": 4}),
    ],
)
def test_stages(given: dict[str, Any], expected: dict[str, Any]):
    check_method(values(given), expected)


def test_several_datasets():
    mixed = values({"dataset": "a, b", "interleave_probs": "0.7, 0.3", "mix_strategy": "interleave_under"})
    assert mixed["data.mix"] == [{"path": "a.json", "weight": 0.7}, {"path": "b.json", "weight": 0.3}]
    assert values({"dataset": "a,b"})["data.mix"] == [{"path": "a.json"}, {"path": "b.json"}]


def test_values():
    made = values({"mask_history": True, "enable_thinking": False})
    assert (made["data.train_on"], made["model.chat_template_kwargs"]) == ("last", {"enable_thinking": False})
    assert values({})["model.lora.rank"] == 8
    assert "model.lora.rank" not in values({"finetuning_type": "full"})
    assert values({})["train.max_length"] == 2048
    assert draft({}).missing == ["data: data/dataset_info.json does not say where 'mine' is"]
    assert not [line for line in draft({"stage": "dpo", "dpo_label_smoothing": 0.1}).without if "smoothing" in line]
    with pytest.raises(ConfigError, match="stage: no 'sftt'"):
        draft({"stage": "sftt"})
    with pytest.raises(ConfigError, match="loss_type: no 'kto_pair'"):
        draft({"stage": "dpo", "pref_loss": "kto_pair"})
