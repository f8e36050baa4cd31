"""verl's configurations as run files: commands, scripts and YAML of main_ppo and of the SFT trainer."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure, settings
from posttrain.config.load import load
from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import parse
from posttrain.convert.converter import checked, convert, convert_text
from posttrain.convert.draft import Draft
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.convert.verl import PEER, RULES
from posttrain.errors import ConfigError
from tests.convert.rules import check_rule

BASE = {"actor_rollout_ref.model.path": "tiny", "data.train_files": "train.parquet"}
ACTOR, ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
GRPO = {"algorithm.adv_estimator": "grpo", f"{ROLLOUT}.n": 5}


def draft(given: dict[str, Any]) -> Draft:
    return convert(PEER, Settings({**BASE, **given}, peer="verl"))


def values(given: dict[str, Any]) -> dict[str, Any]:
    made = draft(given)
    checked(text_of(made, "verl", "test"))
    return made.values


def run(text: str) -> RunFile:
    return load(parse(checked(text), "x").value)


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_does_what_it_says(key: str):
    check_rule(PEER, key, draft)


def test_a_rule_of_a_mapping_holds_for_its_keys():
    assert PEER.rule("actor_rollout_ref.actor.fsdp_config.param_offload") is RULES[f"{ACTOR}."]
    assert PEER.rule("actor_rollout_ref.rollout.engine_kwargs.vllm.x") is RULES[f"{ROLLOUT}."]
    assert PEER.rule("algoritm.gamma") is None


COMMAND = """python3 -m verl.trainer.main_ppo \\
    algorithm.adv_estimator=grpo data.train_files=gsm8k/train.parquet data.val_files=gsm8k/test.parquet \\
    data.train_batch_size=1024 data.max_prompt_length=512 data.max_response_length=1024 \\
    data.filter_overlong_prompts=True data.truncation='error' actor_rollout_ref.model.path=Qwen/Qwen2.5-0.5B \\
    actor_rollout_ref.actor.optim.lr=1e-6 actor_rollout_ref.model.use_remove_padding=True \\
    actor_rollout_ref.actor.ppo_mini_batch_size=256 actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=40 \\
    actor_rollout_ref.actor.use_kl_loss=True actor_rollout_ref.actor.kl_loss_coef=0.001 \\
    actor_rollout_ref.actor.kl_loss_type=low_var_kl actor_rollout_ref.actor.entropy_coeff=0 \\
    actor_rollout_ref.rollout.n=5 actor_rollout_ref.rollout.name=vllm +trainer.val_before_train=False \\
    trainer.logger='["console","wandb"]' trainer.experiment_name=mine trainer.save_freq=20 trainer.test_freq=5 \\
    trainer.total_epochs=15 $@ 2>&1 | tee verl.log
"""


def test_a_command():
    text = convert_text("verl", COMMAND)
    file = run(text)
    assert file.method is not None
    assert file.method.path == "online/grpo"
    assert file.method.settings == {
        "clipped_surrogate.low": 0.2, "clipped_surrogate.high": 0.2, "policy.reduce": "token_mean", "kl.weight": 0.001,
        "kl.reduce": "token_mean", "passes": 1, "minibatches": 4,
    }  # fmt: skip
    assert (file.train.prompts_per_step, file.train.epochs, file.train.max_length) == (1024, 15.0, 1536)
    assert (file.train.weight_decay, file.train.save_every, file.name) == (0.01, 20, "mine")
    assert (file.sampling.samples, file.sampling.max_tokens, file.sampling.temperature) == (5, 1024, 1.0)
    assert file.data["main"].columns == {"answer": "reward_model.ground_truth"}
    assert file.data["main"].truncate == "drop"
    assert file.evaluate is not None
    assert file.evaluate.every == 5
    assert [tracker.name for tracker in file.report] == ["wandb"]
    assert file.evaluate.data is not None
    assert file.evaluate.data.columns == file.data["main"].columns


def test_a_script_and_its_variables(tmp_path):
    script = tmp_path / "run.sh"
    script.write_text(
        f"#!/bin/bash\nset -x  # show it\nMODEL=tiny\nexport FILES=${{MODEL}}.parquet\n{COMMAND}".replace(
            "Qwen/Qwen2.5-0.5B", "$MODEL"
        ).replace("gsm8k/train.parquet", '"${FILES}"')
    )
    file = run(convert_text("verl", str(script)))
    assert file.model.path == "tiny"
    assert file.data["main"].path == "tiny.parquet"


def test_a_yaml_with_references(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ppo.yaml"
    file.write_text(
        "data: {train_files: a.parquet, train_batch_size: 64, prompt_key: question}\n"
        "actor_rollout_ref:\n  model: {path: tiny, lora_rank: 8, override_config: {}}\n"
        "  actor: {ppo_mini_batch_size: '${data.train_batch_size}', clip_ratio: 0.1, grad_clip: 0.5, ppo_epochs: 2}\n"
        "critic: {optim: {lr: 2.0e-5}, model: {path: other}}\n"
        "algorithm: {lam: 0.9, use_kl_in_reward: true, kl_ctrl: {kl_coef: 0.01}}\n"
        "custom_reward_function: {path: my/rewards.py, name: f}\n"
    )
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "rewards.py").write_text("def f(): ...\n")
    text = convert_text("verl", str(file))
    monkeypatch.chdir("/")
    assert "rewards: [{'path': 'my/rewards.py:f', 'signature': 'verl'}]" in convert_text("verl", str(file))
    made = load(parse(text, "x").value, base=tmp_path)
    assert made.method is not None
    assert made.method.path == "online/ppo"
    assert made.method.settings == {
        "clipped_surrogate.low": 0.1, "clipped_surrogate.high": 0.1, "gae.gamma": 1.0, "gae.lam": 0.9,
        "clipped_value.clip": 0.5, "value.weight": 1.0, "reward_minus_fixed_kl.kl_weight": 0.01,
        "policy.reduce": "token_mean", "passes": 2, "minibatches": 1,
    }  # fmt: skip
    assert made.train.learning_rate == {"policy": 1e-6, "critic": 2e-5}
    assert (made.train.max_grad_norm, made.models["critic"].path) == (0.5, "other")
    assert made.model.lora is not None
    assert (made.model.lora.rank, made.model.lora.alpha, made.model.lora.targets) == (8, 16.0, None)
    assert made.data["main"].columns == {"prompt": "question"}
    assert made.rewards[0].signature == "verl"
    assert made.rewards[0].path == str(tmp_path / "my" / "rewards.py") + ":f"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"path": "online/ppo", "gae.lam": 1.0, "reward_minus_fixed_kl.kl_weight": 0.0}),
        (
            {"algorithm.use_kl_in_reward": True, "algorithm.kl_ctrl.type": "adaptive"},
            {"path": "online/ppo_adaptive_kl", "adaptive_kl.target": 0.1, "adaptive_kl.start": 0.001},
        ),
        ({**GRPO}, {"path": "online/grpo", "kl.weight": 0.0}),
        (
            {**GRPO, f"{ACTOR}.loss_agg_mode": "seq-mean-token-sum-norm", "data.max_response_length": 100},
            {"policy.reduce": "sequence_sum", "policy.weight": 0.01},
        ),
        (
            {**GRPO, "algorithm.norm_adv_by_std_in_grpo": False, f"{ACTOR}.loss_agg_mode": "seq-mean-token-mean"},
            {"path": "online/dr_grpo", "policy.reduce": "sequence_mean", "policy.weight": 1.0},
        ),
        (
            {
                **GRPO, "algorithm.filter_groups.enable": True, "reward_model.overlong_buffer.enable": True,
                "reward_model.overlong_buffer.len": 128, f"{ACTOR}.clip_ratio_high": 0.28,
            },
            {"path": "online/dapo", "soft_overlong.buffer": 0.25, "clipped_surrogate.high": 0.28},
        ),
        ({**GRPO, f"{ACTOR}.policy_loss.loss_mode": "gspo"}, {"path": "online/gspo"}),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "cispo", f"{ACTOR}.clip_ratio_high": 0.28},
            {"path": "online/cispo", "truncated_reinforce.cap": 1.28, "policy.reduce": "token_mean"},
        ),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "sapo", f"{ACTOR}.tau_neg": 2.0},
            {"path": "online/sapo", "tau_negative": 2.0},
        ),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "clip_cov", f"{ACTOR}.policy_loss.clip_cov_ub": 9.0},
            {"path": "online/clip_cov", "without_high_covariance.highest": 9.0, "clipped_surrogate.low": 0.2},
        ),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "kl_cov", f"{ACTOR}.policy_loss.ppo_kl_coef": 2.0},
            {"path": "online/kl_cov", "kl.weight": 2.0},
        ),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "dppo_kl", f"{ACTOR}.clip_ratio": 0.05},
            {"path": "online/dppo", "divergence": "kl", "threshold": 0.05},
        ),
        (
            {**GRPO, f"{ACTOR}.policy_loss.loss_mode": "geo_mean", f"{ACTOR}.clip_ratio": 0.4},
            {"path": "online/gmpo", "geometric_ratio.low": 0.4, "geometric_ratio.high": 0.4},
        ),
        ({**GRPO, f"{ACTOR}.entropy_coeff": 0.01}, {"entropy": "bonus", "entropy.weight": 0.01}),
        ({"algorithm.adv_estimator": "rloo"}, {"path": "online/rloo", "row_reward_minus_kl.kl_weight": 0.0}),
        (
            {"algorithm.adv_estimator": "remax", "algorithm.use_kl_in_reward": True},
            {"path": "online/remax", "reward_minus_fixed_kl.kl_weight": 0.001},
        ),
    ],
)  # fmt: skip
def test_methods(given: dict[str, Any], expected: dict[str, Any]):
    made = values(given)
    assert {key: made.get(f"method.{key}") for key in expected} == expected


def test_variables_of_the_template():
    made = values({"data.apply_chat_template_kwargs.enable_thinking": False})
    assert made["model.chat_template_kwargs"] == {"enable_thinking": False}


def test_several_files():
    files = {"data.train_files": ["a.parquet", "b.parquet"], "data.prompt_key": "question"}
    columns = {"answer": "reward_model.ground_truth", "prompt": "question"}
    assert values(files)["data.mix"] == [{"path": name, "columns": columns} for name in files["data.train_files"]]


@pytest.mark.parametrize(
    ("settings", "path", "term"),
    [
        ({"algorithm.adv_estimator": "gae"}, "online/ppo", ("low_var_kl", "k3")),
        ({"algorithm.adv_estimator": "rloo"}, "online/rloo", ("mse", "k2")),
        (GRPO, "online/grpo", ("low_var_kl+", "k3+")),
        ({**GRPO, "algorithm.norm_adv_by_std_in_grpo": False}, "online/dr_grpo", ("kl", "k1")),
    ],
)
def test_the_kl_in_the_loss_of_any_method(settings, path, term):
    used = {f"{ACTOR}.use_kl_loss": True, f"{ACTOR}.kl_loss_coef": 0.01, f"{ACTOR}.kl_loss_type": term[0]}
    made = values({**settings, **used})
    assert made["method.path"] == path
    assert (made["method.kl_in_loss"], made["method.kl.weight"]) == (term[1], 0.01)
    assert made["method.kl.reduce"] == "token_mean"


def test_an_estimator_that_is_not_here_is_named():
    (lost,) = draft({**GRPO, f"{ACTOR}.use_kl_loss": True, f"{ACTOR}.kl_loss_type": "abs"}).without
    assert lost.startswith(f"{ACTOR}.kl_loss_type: abs: the KL of the loss is estimated by k1, k2, k3")


def test_long_rows():
    assert values({"data.truncation": "left"})["data.truncate"] == "left"
    assert draft({"data.truncation": "right"}).without[0].startswith("data.truncation: right")
    assert values({"data.truncation": "right", "model.partial_pretrain": "tiny"})["data.truncate"] == "right"


@pytest.mark.parametrize(
    "estimator", [{}, {f"{ACTOR}.policy_loss.loss_mode": "cispo"}, {f"{ACTOR}.policy_loss.loss_mode": "gspo"}]
)
def test_the_kl_in_the_reward_of_a_group(estimator):
    """verl subtracts it from the reward of every token, and GRPO compares the sums of these over the answers."""
    used = {"algorithm.use_kl_in_reward": True, "algorithm.kl_ctrl.kl_coef": 0.002}
    made = values({**GRPO, **estimator, **used})
    assert (made["method.kl_in_reward"], made["method.row_reward_minus_kl.kl_weight"]) == ("k1", 0.002)
    path, given = made["method.path"], {"kl_in_reward": "k1", "row_reward_minus_kl.kl_weight": 0.002}
    found = settings(configure(catalogue.load(path), given))
    assert ("advantage", "row_reward_minus_kl", "kl_weight", 0.002) in found
    (lost,) = draft({**GRPO, **estimator, **used, "algorithm.kl_ctrl.type": "adaptive"}).without
    assert lost.startswith("algorithm.kl_ctrl.type: adaptive")


@pytest.mark.fault("K1")
def test_what_has_no_counterpart():
    lost = draft({**GRPO, f"{ACTOR}.clip_ratio_c": 3.0, f"{ROLLOUT}.top_p": 0.9})
    assert {line.partition(":")[0] for line in lost.without} == {f"{ACTOR}.clip_ratio_c", f"{ROLLOUT}.top_p"}
    with pytest.raises(ConfigError, match="reinforce_plus_plus has no counterpart; known: gae, grpo, rloo, remax"):
        draft({"algorithm.adv_estimator": "reinforce_plus_plus"})
    with pytest.raises(ConfigError, match="loss_mode: cisbo has no counterpart; known: vanilla, gspo, cispo, sapo"):
        draft({**GRPO, f"{ACTOR}.policy_loss.loss_mode": "cisbo"})
    with pytest.raises(ConfigError, match="is no multiple of ppo_mini_batch_size"):
        draft({"data.train_batch_size": 100, f"{ACTOR}.ppo_mini_batch_size": 64})
    unknown = draft({"algoritm.adv_estimator": "grpo"}).unknown
    assert unknown == ["algoritm.adv_estimator: grpo (did you mean 'algorithm.adv_estimator'?)"]


def test_supervised_fine_tuning():
    text = convert_text(
        "verl",
        "torchrun --nproc_per_node=4 -m verl.trainer.fsdp_sft_trainer data.train_files=a.parquet "
        "data.prompt_key=question data.response_key=answer data.micro_batch_size_per_gpu=4 model.partial_pretrain=tiny "
        "trainer.total_epochs=3 optim.lr=1e-4 model.lora_rank=32 trainer.default_local_dir=out/sft",
    )
    file = run(text)
    assert file.method is not None
    assert file.method.path == "imitation/sft"
    assert (file.train.prompts_per_step, file.train.learning_rate, file.train.epochs) == (256, 1e-4, 3.0)
    assert (file.train.schedule, file.train.warmup, file.train.betas) == ("cosine", 0.1, (0.9, 0.95))
    assert file.data["main"].columns == {"prompt": "question", "completion": "answer"}
    assert (str(file.output), file.name) == ("out", "sft")
