"""TRL's configurations as run files: its keys and defaults against TRL's own dataclasses, and whole examples."""

from __future__ import annotations

import dataclasses
import importlib
from functools import cache
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.config.yaml_ import parse
from posttrain.convert.converter import checked, convert, convert_text
from posttrain.convert.draft import Draft
from posttrain.convert.preferences import LOSSES
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.convert.trl import FORMER, PEER, RULES
from posttrain.convert.trl_trainers import DEFAULTS
from posttrain.errors import ConfigError
from tests.convert.rules import check_rule

BASE = {"model_name_or_path": "tiny", "dataset_name": "some/data"}
EXPERIMENTAL = {"orpo": "ORPO", "cpo": "CPO", "online_dpo": "OnlineDPO"}


@cache
def fields(trainer: str) -> dict[str, Any]:
    """Keys of TRL's configuration of a trainer with their defaults; those that are made at run time are left out."""
    import trl

    if trainer in EXPERIMENTAL:
        module = importlib.import_module(f"trl.experimental.{trainer}")
        config = getattr(module, f"{EXPERIMENTAL[trainer]}Config")
    else:
        name = {"reward": "Reward"}.get(trainer, trainer.upper())
        config = getattr(trl, f"{name}Config")
    found = {}
    for f in dataclasses.fields(config):
        found[f.name] = f.default_factory() if callable(f.default_factory) else f.default
    return found


def script_keys() -> set[str]:
    import trl
    from trl.scripts.grpo import GRPOScriptArguments

    return {
        f.name for c in (trl.ModelConfig, GRPOScriptArguments, trl.DatasetMixtureConfig) for f in dataclasses.fields(c)
    }


PRESENT = ("sft", "dpo", "kto", "reward", "grpo", "rloo")


def draft(given: dict[str, Any], trainer: str | None = "dpo", gpus: int = 1) -> Draft:
    return convert(PEER, Settings({**BASE, **given}, peer="TRL", trainer=trainer, gpus=gpus))


def run_file(given: dict[str, Any], trainer: str | None = "dpo", gpus: int = 1) -> dict[str, Any]:
    """The draft's values, checked to be a run file that loads."""
    made = draft(given, trainer, gpus)
    text = checked(text_of(made, "TRL", "test"))
    assert parse(text, "x").value == made.nested()
    return made.values


def test_every_key_of_the_table_is_one_of_trl():
    known = {k for trainer in (*PRESENT, *EXPERIMENTAL) for k in fields(trainer)} | script_keys()
    assert set(RULES) - known - FORMER == set()
    assert FORMER & known == set()


@pytest.mark.parametrize("trainer", PRESENT)
def test_every_key_of_trl_is_in_the_table(trainer: str):
    assert (set(fields(trainer)) | script_keys()) - set(RULES) == set()


@pytest.mark.fault("K2")
@pytest.mark.parametrize("trainer", [*PRESENT, *EXPERIMENTAL])
def test_the_defaults_are_those_of_trl(trainer: str):
    theirs = fields(trainer)
    for key, value in DEFAULTS[trainer].items():
        if key in theirs and key not in ("beta", "eval_strategy"):
            assert theirs[key] == value, key
    if trainer != "online_dpo":
        assert theirs.get("beta") == DEFAULTS[trainer].get("beta")


@pytest.mark.fault("K1")
@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_does_what_it_says(key: str):
    check_rule(PEER, key, draft)


@pytest.mark.fault("K3")
def test_values_are_converted():
    values = run_file(
        {
            "learning_rate": 3e-6, "lr_scheduler_type": "constant_with_warmup", "warmup_steps": 0.1, "seed": 7,
            "weight_decay": 0.1, "adam_beta2": 0.95, "max_grad_norm": 0, "max_steps": 30, "output_dir": "out/deep/mine",
            "save_steps": 10, "save_total_limit": 3, "logging_steps": 5, "bf16": True, "gradient_checkpointing": True,
            "max_length": 512, "use_cpu": True, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 8,
        },
        gpus=4,
    )  # fmt: skip
    expected = {
        "train.learning_rate": 3e-6, "train.schedule": "constant", "train.warmup": 0.1, "train.weight_decay": 0.1,
        "train.betas": [0.9, 0.95], "train.max_grad_norm": None, "train.steps": 30, "seed": 7, "output": "out/deep",
        "name": "mine", "train.save_every": 10, "train.keep": 3, "train.log_every": 5, "model.dtype": "bfloat16",
        "model.activation_checkpointing": True, "train.max_length": 512, "device": "cpu",
        "train.prompts_per_step": 2 * 8 * 4, "method.path": "preference/dpo", "method.logistic.beta": 0.1,
    }  # fmt: skip
    assert {key: values.get(key) for key in expected} == expected
    assert "train.epochs" not in values


def test_what_is_not_written_has_trls_value():
    values = run_file({})
    assert values["train.epochs"] == 3.0
    assert values["train.schedule"] == "linear"
    assert values["train.prompts_per_step"] == 8
    assert values["seed"] == 42
    assert values["train.max_length"] == 1024
    assert {t: run_file({}, t)["train.learning_rate"] for t in ("sft", "reward", "grpo")} == {
        "sft": 2e-5,
        "reward": 1e-4,
        "grpo": 1e-6,
    }


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_type_is_a_method_that_reads_its_settings(name: str):
    values = run_file({"loss_type": name, "beta": 0.3, "label_smoothing": 0.05})
    beta = LOSSES[name].beta
    assert values["method.path"] == LOSSES[name].path
    assert beta is None or values[f"method.{beta}"] == 0.3


def test_variants_of_dpo():
    assert run_file({"use_weighting": True})["method.path"] == "preference/wpo"
    assert run_file({"ld_alpha": 0.4})["method.in_common.beyond"] == 0.4
    alpha = run_file({"f_divergence_type": "alpha_divergence", "f_alpha_divergence_coef": 0.7})
    assert alpha["method.divergence_score.alpha"] == pytest.approx(0.3)
    assert run_file({"f_divergence_type": "js_divergence"})["method.divergence_score.divergence"] == "jensen_shannon"
    lost = draft({"loss_type": "ipo", "f_divergence_type": "forward_kl", "label_smoothing": 0.1})
    assert [line.partition(":")[0] for line in lost.without] == ["label_smoothing", "f_divergence_type"]
    assert any("ignores label_smoothing" in line for line in draft({"label_smoothing": 0.1}).without)
    with pytest.raises(ConfigError, match="a sum of losses is a method of its own"):
        draft({"loss_type": ["sigmoid", "sft"]})
    with pytest.raises(ConfigError, match="did you mean 'robust'"):
        draft({"loss_type": "robus"})


@pytest.mark.parametrize(
    ("trainer", "given", "expected"),
    [
        ("kto", {"desirable_weight": 1.3}, {"path": "preference/kto", "prospect.desirable": 1.3, "prospect.beta": 0.1}),
        ("orpo", {"beta": 0.2}, {"path": "preference/orpo", "odds.weight": 0.2, "length_weight.over": "tokens"}),
        ("cpo", {}, {"path": "preference/cpo", "logistic.beta": 0.1, "nll.weight": 1.0}),
        ("cpo", {"loss_type": "simpo", "cpo_alpha": 0}, {"path": "preference/simpo", "logistic.margin": 0.5}),
        ("reward", {}, {"path": "reward/bradley_terry"}),
        ("sft", {}, {"path": "imitation/sft"}),
        ("rloo", {"beta": 0.1}, {"path": "online/rloo", "row_reward_minus_kl.kl_weight": 0.1, "passes": 1}),
        ("online_dpo", {"beta": [0.2]}, {"path": "online/online_dpo", "logistic.beta": 0.2}),
        ("online_dpo", {"max_new_tokens": 9}, {"path": "online/online_dpo"}),
        ("ppo", {"cliprange": 0.1}, {"path": "online/ppo", "clipped_surrogate.low": 0.1, "gae.lam": 0.95, "passes": 4}),
    ],
)  # fmt: skip
def test_other_trainers(trainer: str, given: dict[str, Any], expected: dict[str, Any]):
    values = run_file({"reward_funcs": ["accuracy_reward"], **given}, trainer)
    assert {key: values.get(f"method.{key}") for key in expected} == expected


@pytest.mark.fault("K3")
def test_grpo_counts_answers_and_posttrain_prompts():
    given = {"num_generations": 8, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    values = run_file({**given, "steps_per_generation": 4, "num_iterations": 2, "max_steps": 80}, "grpo", gpus=4)
    assert values["train.prompts_per_step"] == 4 * 4 * 4 // 8
    assert (values["method.minibatches"], values["method.passes"]) == (2, 2)
    assert values["train.steps"] == 80 // 4
    with pytest.raises(ConfigError, match="no multiple of num_generations"):
        draft({**given, "num_generations": 7}, "grpo")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"path": "online/grpo", "policy.reduce": "token_mean", "kl.weight": 0.0, "clipped_surrogate.high": 0.2}),
        ({"loss_type": "grpo", "beta": 0.04}, {"policy.reduce": "sequence_mean", "kl.weight": 0.04}),
        ({"epsilon_high": 0.28}, {"clipped_surrogate.low": 0.2, "clipped_surrogate.high": 0.28}),
        (
            {"loss_type": "dr_grpo", "max_completion_length": 200, "beta": 0.1},
            {"path": "online/grpo", "policy.weight": 1 / 200, "kl.weight": 0.1 / 200, "policy.reduce": "sequence_sum"},
        ),
        (
            {"loss_type": "dr_grpo", "scale_rewards": False, "max_completion_length": 200},
            {"path": "online/dr_grpo", "policy.weight": 1 / 200, "kl.weight": None},
        ),
        ({"scale_rewards": "none"}, {"path": "online/dr_grpo", "policy.weight": 1.0, "policy.reduce": "token_mean"}),
        (
            {"importance_sampling_level": "sequence", "epsilon": 3e-4, "epsilon_high": 4e-4, "loss_type": "grpo"},
            {"path": "online/gspo", "clipped_surrogate.low": 3e-4, "minibatches": 1, "policy.reduce": "sequence_mean"},
        ),
        (
            {"loss_type": "cispo", "epsilon_high": 5.0},
            {"path": "online/cispo", "truncated_reinforce.cap": 5.0, "group_standardise.eps": 1e-4},
        ),
        ({"loss_type": "cispo"}, {"truncated_reinforce.cap": 0.2}),
        ({"loss_type": "sapo", "sapo_temperature_neg": 2.0}, {"tau_positive": 1.0, "tau_negative": 2.0}),
        (
            {"loss_type": "vespo"},
            {"k_positive": 2.0, "k_negative": 3.0, "lambda_positive": 3.0, "lambda_negative": 2.0},
        ),
        (
            {"loss_type": "luspo", "importance_sampling_level": "sequence", "epsilon_high": 4e-4},
            {"path": "online/luspo", "clipped_surrogate.low": 0.2, "clipped_surrogate.high": 4e-4},
        ),
        (
            {"multi_objective_aggregation": "normalize_then_sum"},
            {"path": "online/gdpo", "decoupled_standardise.eps": 1e-4, "policy.reduce": "token_mean"},
        ),
        ({"entropy_coef": 0.01}, {"entropy": "bonus", "entropy.weight": 0.01}),
        (
            {"use_adaptive_entropy": True, "entropy_target": 0.4},
            {"entropy": "target", "adaptive_entropy.target": 0.4, "adaptive_entropy.start": 0.0},
        ),
        ({"off_policy_mask_threshold": 0.5}, {"off_policy_sequence_mask.delta": 0.5}),
    ],
)  # fmt: skip
def test_grpo(given: dict[str, Any], expected: dict[str, Any]):
    values = run_file({"reward_funcs": ["accuracy_reward"], **given}, "grpo")
    assert {key: values.get(f"method.{key}") for key in expected} == expected


def test_grpo_says_what_it_cannot_do():
    lost = draft({"scale_rewards": "none", "beta": 0.1, "delta": 4.0, "top_p": 0.9}, "grpo").without
    assert [line.partition(":")[0] for line in lost] == ["delta", "top_p", "beta"]
    lost = draft({"loss_type": "sapo", "scale_rewards": "none", "beta": 0.1}, "grpo").without
    assert [line.partition(":")[0] for line in lost] == ["scale_rewards", "beta"]
    assert any("multiplies the KL" in line for line in draft({"beta": 0.1}, "grpo").differs)
    with pytest.raises(ConfigError, match="'cisbo' has no counterpart; known: .*cispo, sapo, vespo, luspo"):
        draft({"loss_type": "cisbo"}, "grpo")


def test_rewards_and_data():
    values = run_file(
        {
            "reward_funcs": ["accuracy_reward", "my.rewards.tidy"], "reward_weights": [1.0, 0.2], "eval_steps": 20,
            "dataset_config": "main", "dataset_train_split": "train[:10]", "eval_strategy": "steps",
        },
        "grpo",
    )  # fmt: skip
    assert values["rewards"] == [
        {"path": "trl.rewards:accuracy_reward", "weight": 1.0, "signature": "trl"},
        {"path": "my.rewards:tidy", "weight": 0.2, "signature": "trl"},
    ]
    assert values["data.path"] == "some/data:config=main,split=train[:10]"
    assert (values["evaluate.data.path"], values["evaluate.every"]) == ("some/data:config=main,split=test", 20)
    missing = convert(PEER, Settings({"model_name_or_path": "tiny"}, peer="TRL", trainer="grpo")).missing
    assert [line.partition(":")[0] for line in missing] == ["data.path", "rewards"]
    assert run_file({"reward_model_name_or_path": "some/rm"}, "grpo")["models.reward.path"] == "some/rm"


def test_old_names_come_before_defaults():
    assert run_file({"max_seq_length": 99}, "sft")["train.max_length"] == 99
    assert run_file({"reward_model_path": "rm"}, "ppo")["sampling.max_tokens"] == 53
    assert run_file({"reward_funcs": "a.b", "max_new_tokens": 9}, "online_dpo")["sampling.max_tokens"] == 9


def test_the_order_of_the_records():
    assert run_file({}, "kto")["data.order"] == "file"  # TRL's default there
    assert "data.order" not in run_file({})
    assert run_file({"shuffle_dataset": False, "reward_funcs": "a.b"}, "grpo")["data.order"] == "file"


def test_long_rows():
    assert run_file({})["data.truncate"] == "right"
    assert run_file({"truncation_mode": "keep_end"})["data.truncate"] == "left"
    assert "data.truncate" not in run_file({"reward_funcs": ["accuracy_reward"]}, "grpo")
    with pytest.raises(ConfigError, match="truncation_mode: no 'middle'"):
        draft({"truncation_mode": "middle"})


def test_values_without_a_counterpart_become_the_nearest():
    near = draft({"lr_scheduler_type": "cosine_with_min_lr"})
    assert near.values["train.schedule"] == "cosine"
    assert near.without == ["lr_scheduler_type: cosine_with_min_lr: train.schedule is one of linear, cosine, constant"]


def test_mixtures_of_scripts_around_trl():
    mixture = {"datasets": [{"id": "a/b", "config": "all", "split": "train_sft"}, {"id": "c/d"}]}
    made = draft({"dataset_mixture": mixture, "dataset_name": None, "chat_template": "{{ x }}"})
    assert made.values["data.mix"] == [{"path": "a/b:config=all,split=train_sft"}, {"path": "c/d"}]
    assert "data.path" not in made.values
    assert draft({"dataset_mixer": {"a/b": 1.0}, "dataset_name": None}).values["data.path"] == "a/b"
    prompts = draft({"dataset_prompt_column": "problem", "reward_funcs": ["x.f"]}, "grpo")
    assert prompts.values["data.columns"] == {"prompt": "problem"}


def test_adapters():
    values = run_file({"use_peft": True, "use_rslora": True, "lora_r": 16, "lora_modules_to_save": ["lm_head"]})
    assert values["model.lora.rslora"] is True
    assert values["model.lora.modules_to_save"] == ["lm_head"]
    assert values["model.lora.targets"] == ["q_proj", "v_proj"]
    assert "model.lora.targets" not in run_file({"use_peft": True, "lora_target_modules": "all-linear"})
    assert "model.lora.rank" not in run_file({"lora_r": 8})
    assert any("no dropout" in line for line in draft({"use_peft": True}).without)


@pytest.mark.parametrize(
    ("given", "trainer"),
    [
        ({"assistant_only_loss": True}, "imitation/sft"),
        ({"num_generations": 4}, "online/grpo"),
        ({"cpo_alpha": 0.5}, "preference/cpo"),
        ({"undesirable_weight": 1.0}, "preference/kto"),
    ],
)
def test_the_trainer_is_known_by_its_keys(given: dict[str, Any], trainer: str):
    assert draft(given, None).values["method.path"] == trainer


def test_an_unknown_trainer_is_asked_for():
    with pytest.raises(ConfigError, match="write --trainer: sft, dpo"):
        draft({}, None)
    with pytest.raises(ConfigError, match="did you mean 'rloo'"):
        draft({}, "rlo")


COMMAND = """accelerate launch --num_processes 4 --config_file zero2.yml trl/scripts/grpo.py \\
    --model_name_or_path Qwen/Qwen2.5-0.5B --dataset_name AI-MO/NuminaMath-TIR --num_generations=8 \\
    --per-device-train-batch-size 2 --reward_funcs accuracy_reward think_format_reward --use_vllm \\
    --no_bf16 --learning_rate 2e-6 --mask_truncated_completions True"""


def test_a_command_line():
    text = convert_text("trl", COMMAND)
    values = load(parse(checked(text), "x").value)
    assert values.method is not None
    assert values.method.path == "online/grpo"
    assert values.train.prompts_per_step == 1
    assert values.train.learning_rate == 2e-6
    assert [r.path for r in values.rewards] == ["trl.rewards:accuracy_reward", "trl.rewards:think_format_reward"]
    assert "# - mask_truncated_completions: true: answers that were cut" in text
    assert "use_vllm" in text


def test_a_file_named_by_a_command(tmp_path):
    file = tmp_path / "sft.yaml"
    file.write_text("model_name_or_path: tiny\ndataset_name: some/data\nlearning_rate: 1e-4\npackingg: true\n")
    text = convert_text("trl", f"trl sft --config {file} --learning_rate 3e-4 --packing")
    values = load(parse(checked(text), "x").value)
    assert values.train.learning_rate == 3e-4
    assert "packingg: true (did you mean 'packing'?)" in text
    assert "not packed blocks" in text
