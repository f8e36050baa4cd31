"""Axolotl's YAML files as run files."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.convert.axolotl import NAMES, PEER, RULES
from posttrain.convert.converter import checked, convert, convert_text
from posttrain.convert.draft import Draft
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError
from tests.convert.rules import check_lines, check_method, check_rule

BASE: dict[str, Any] = {
    "base_model": "tiny",
    "datasets": [{"path": "some/data", "type": "chat_template", "field_messages": "conversations"}],
    "micro_batch_size": 2,
    "gradient_accumulation_steps": 4,
    "learning_rate": 2e-4,
}


def draft(given: dict[str, Any], gpus: int = 1) -> Draft:
    return convert(PEER, Settings({**BASE, **given}, peer="Axolotl", gpus=gpus))


def values(given: dict[str, Any], gpus: int = 1) -> dict[str, Any]:
    made = draft(given, gpus)
    checked(text_of(made, "Axolotl", "test"))
    return made.values


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_does_what_it_says(key: str):
    check_rule(PEER, key, draft)


def test_the_names_are_keys_of_the_table():
    assert {old for names in NAMES.values() for old in names} <= set(RULES)


EXAMPLE = """
base_model: NousResearch/Llama-3.2-1B
datasets:
  - path: teknium/GPT4-LLM-Cleaned
    type: alpaca
val_set_size: 0.1
output_dir: ./outputs/lora-out
adapter: lora
lora_r: 16
lora_alpha: 32
lora_dropout: 0.05
lora_target_modules: [gate_proj, down_proj]
sequence_len: 2048
sample_packing: true
wandb_project: mine
gradient_accumulation_steps: 2
micro_batch_size: 2
num_epochs: 1
optimizer: adamw_8bit
lr_scheduler: cosine
learning_rate: 0.0002
bf16: auto
tf32: false
gradient_checkpointing: true
flash_attention: true
warmup_ratio: 0.1
evals_per_epoch: 4
saves_per_epoch: 1
weight_decay: 0.0
special_tokens:
  pad_token: "<|end_of_text|>"
"""


def test_an_example(tmp_path):
    file = tmp_path / "lora.yml"
    file.write_text(EXAMPLE)
    text = convert_text("axolotl", str(file), gpus=2)
    checked(text)
    check_lines(
        text,
        "  path: NousResearch/Llama-3.2-1B  # base_model",
        "    rank: 16  # lora_r",
        '    targets: ["gate_proj", "down_proj"]  # lora_target_modules',
        "  path: imitation/sft  # the trainer sft",
        "  prompts_per_step: 8  # micro_batch_size x gradient_accumulation_steps x 2 processes",
        "  epochs: 1.0  # num_epochs",
        "  max_length: 2048  # sequence_len",
        "  learning_rate: 0.0002  # learning_rate",
        "name: lora-out  # output_dir: its last folder",
        "# - optimizer: adamw_8bit: the optimiser is AdamW",
        "# - lora_dropout: 0.05: adapters have no dropout",
        'report: [{"name": "wandb", "project": "mine"}]  # wandb_project, mlflow_experiment_name, use_tensorboard',
    )
    assert "not packed blocks" in text
    assert "To be filled in" not in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"path": "imitation/sft"}),
        ({"rl": "dpo", "rl_beta": 0.2}, {"path": "preference/dpo", "logistic.beta": 0.2}),
        ({"rl": "ipo"}, {"path": "preference/ipo", "squared.tau": 0.1}),
        ({"rl": "kto", "kto_desirable_weight": 0.2}, {"path": "preference/kto", "prospect.desirable": 0.2}),
        ({"rl": "orpo", "orpo_alpha": 0.3}, {"path": "preference/orpo", "odds.weight": 0.3}),
        ({"rl": "simpo", "simpo_gamma": 0.4}, {"path": "preference/simpo", "logistic.margin": 0.4}),
        ({"reward_model": True}, {"path": "reward/bradley_terry"}),
        (
            {"rl": "grpo", "trl.beta": 0.01, "trl.num_generations": 4, "trl.reward_funcs": ["r.f"]},
            {"path": "online/grpo", "kl.weight": 0.01},
        ),
    ],
)
def test_methods(given: dict[str, Any], expected: dict[str, Any]):
    check_method(values(given), expected)


def test_several_datasets():
    entries = [{"path": "a/b", "name": "x"}, {"path": "json", "data_files": "c.jsonl", "field_messages": "turns"}]
    made = values({"datasets": entries, "test_datasets": [{"path": "d/e", "split": "test"}]})
    assert made["data.mix"] == [{"path": "a/b:config=x"}, {"path": "c.jsonl", "columns": {"messages": "turns"}}]
    assert made["evaluate.data.path"] == "d/e:split=test"
    assert values({"lora_model_dir": "runs/a"})["model.path"] == "runs/a"


def test_values():
    assert values({})["data.truncate"] == "drop"
    assert values({"excess_length_strategy": "truncate"})["data.truncate"] == "right"
    made = values({"adapter": "qlora", "load_in_4bit": True, "lora_r": 8, "lora_target_linear": True}, gpus=4)
    assert made["train.prompts_per_step"] == 2 * 4 * 4
    assert "model.lora.targets" not in made
    assert made["model.quantize"] == "nf4"
    assert "model.quantize" not in values({"adapter": "lora"})
    assert made["data.columns"] == {"messages": "conversations"}
    assert (made["train.schedule"], made["train.warmup"], made["train.max_length"]) == ("cosine", 0.03, 512)
    assert values({"micro_batch_size": None, "batch_size": 32})["train.prompts_per_step"] == 32
    assert any("weights stay" in line for line in draft({"load_in_4bit": True}).differs)
    files = {"datasets": [{"path": "json", "data_files": ["a.jsonl"], "type": {"field_instruction": "q"}}]}
    assert (values(files)["data.path"], values(files)["data.columns"]) == ("a.jsonl", {"instruction": "q"})
    with pytest.raises(ConfigError, match="rl: gdpo has no counterpart"):
        draft({"rl": "gdpo"})
