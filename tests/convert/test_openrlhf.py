"""OpenRLHF's command lines and scripts as run files."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import parse
from posttrain.convert.converter import checked, convert, convert_text
from posttrain.convert.draft import Draft
from posttrain.convert.openrlhf import PEER, RULES
from posttrain.convert.openrlhf_ppo import ESTIMATORS
from posttrain.convert.run_file_text import text_of
from posttrain.convert.settings import Settings
from posttrain.errors import ConfigError
from tests.convert.rules import check_rule

BASE = {"actor.model_name_or_path": "tiny", "data.prompt_dataset": "train.jsonl", "reward.model_name_or_path": "tiny"}
GROUP = {"algo.advantage.estimator": "group_norm", "rollout.n_samples_per_prompt": 4}


def draft(given: dict[str, Any]) -> Draft:
    return convert(PEER, Settings({**BASE, **given}, peer="OpenRLHF"))


def values(given: dict[str, Any]) -> dict[str, Any]:
    made = draft(given)
    checked(text_of(made, "openrlhf", "test"))
    return made.values


def run(text: str) -> RunFile:
    return load(parse(checked(text), "x").value)


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_does_what_it_says(key: str):
    check_rule(PEER, key, draft)


SCRIPT = """#!/bin/bash
set -x
MODEL_PATH="Qwen/Qwen3-4B"
CKPT_ARGS=(
   --actor.model_name_or_path ${MODEL_PATH}
   # --reward.model_name_or_path ${REWARD_MODEL}
   --ckpt.output_dir exp/mine
   --ckpt.max_num 3
   --ckpt.save_steps 10
)
ROLLOUT_ARGS=(
   --reward.remote_url rewards.py
   --data.prompt_dataset zhuzilin/dapo-math-17k --data.input_key prompt --data.label_key label
   --data.max_len 2048 --rollout.max_new_tokens 1024 --data.apply_chat_template
   --rollout.batch_size 128 --rollout.n_samples_per_prompt 8 --train.batch_size 512
   --train.async_enable --train.async_queue_size 2
)
OPTIMIZER_ARGS=(
   --algo.advantage.estimator reinforce_baseline --actor.adam.lr 5e-7 --actor.entropy_coef 0.0
   --algo.kl.init_coef 1e-5 --algo.kl.use_loss --algo.kl.estimator k2
   --algo.advantage.is_correction_enable --algo.advantage.is_correction_type icepop
   --vllm.num_engines 2
)
ray job submit --address="http://127.0.0.1:8265" \\
   -- python3 -m openrlhf.cli.train_ppo_ray \\
   ${CKPT_ARGS[@]} \\
   ${ROLLOUT_ARGS[@]} \\
   ${OPTIMIZER_ARGS[@]}
"""


def test_a_script_with_lists_of_options(tmp_path):
    (tmp_path / "run.sh").write_text(SCRIPT)
    text = convert_text("openrlhf", str(tmp_path / "run.sh"))
    file = run(text)
    assert file.method is not None
    assert file.method.path == "online/reinforce_plus_plus_baseline"
    assert file.method.settings == {
        "clipped_surrogate.low": 0.2, "clipped_surrogate.high": 0.2, "kl_in_reward": "none", "kl_in_loss": "k2",
        "kl.weight": 1e-5, "kl.reduce": "token_mean", "banded_importance.low": 0.5, "banded_importance.high": 5.0,
        "passes": 1, "minibatches": 2,
    }  # fmt: skip
    assert (file.model.path, file.name, str(file.output)) == ("Qwen/Qwen3-4B", "mine", "exp")
    assert (file.train.prompts_per_step, file.train.async_steps, file.train.learning_rate) == (128, 2, 5e-7)
    assert (file.train.rollout_correction, file.train.save_every, file.train.keep) == ("icepop", 10, 3)
    assert (file.sampling.samples, file.sampling.max_tokens, file.train.max_length) == (8, 1024, 2048)
    assert file.data["main"].columns == {"answer": "label"}
    assert "rewards.py:reward_func" in text


def test_the_dpo_script_with_its_here_document(tmp_path):
    (tmp_path / "dpo.sh").write_text(
        "set -x\nread -r -d '' training_commands <<EOF\nopenrlhf.cli.train_dpo \\\n   "
        "--model.model_name_or_path tiny \\\n"
        "   --train.batch_size 256 --model.beta 0.2 --data.dataset a/b --data.chosen_key good \\\n"
        "   --data.apply_chat_template --model.gradient_checkpointing_enable\nEOF\n    # --model.ipo_enable [for IPO]\n"
        'if [[ ${1} != "slurm" ]]; then\n    deepspeed --module $training_commands\nfi\n'
    )
    file = run(convert_text("openrlhf", str(tmp_path / "dpo.sh")))
    assert file.method is not None
    assert (file.method.path, file.method.settings) == ("preference/dpo", {"beta": 0.2})
    assert file.model.activation_checkpointing
    assert (file.train.prompts_per_step, file.train.learning_rate, file.train.betas) == (256, 1e-5, (0.9, 0.95))
    assert file.data["main"].columns == {"chosen": "good"}


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kl", [{}, {"algo.kl.use_loss": True, "algo.kl.estimator": "k3"}, {"algo.kl.init_coef": 0}])
def test_every_estimator_with_the_kl_in_reward_in_loss_and_without(estimator, kl):
    made = values({"algo.advantage.estimator": estimator, "rollout.n_samples_per_prompt": 4, **kl})
    assert made["method.path"] == ESTIMATORS[estimator]
    assert (made["method.kl_in_loss"], made["method.kl_in_reward"]) == (
        ("k3", "none") if "algo.kl.use_loss" in kl else ("none", "none") if kl else ("none", "k1")
    )
    rate = made["train.learning_rate"]
    assert rate == ({"policy": 1e-6, "critic": 9e-6} if estimator == "gae" else 1e-6)


def test_other_losses_of_the_policy():
    assert values({**GROUP, "actor.policy_loss_type": "gspo"})["method.path"] == "online/gspo"
    estimator = "algo.advantage.estimator"
    assert not [line for line in draft({**GROUP, "actor.policy_loss_type": "gspo"}).without if estimator in line]
    (lost,) = [line for line in draft({"actor.policy_loss_type": "gspo"}).without if estimator in line]
    assert lost.startswith(f"{estimator}: gae")
    dual = values({"actor.dual_clip": 3.0, "actor.eps_clip_low_high": [0.1, 0.3]})
    assert (dual["method.path"], dual["method.ceiling"]) == ("online/dual_clip_ppo", 3.0)
    adaptive = values({"algo.kl.target": 6.0})
    assert adaptive["method.path"] == "online/ppo_adaptive_kl"
    assert adaptive["method.adaptive_kl.target"] == 6.0
    tis = draft({**GROUP, "algo.advantage.is_correction_enable": True})
    assert tis.values["method.truncated_importance.cap"] == 5.0
    assert values(GROUP)["method.policy.reduce"] == "token_mean"


def trained(trainer: str, **given: Any) -> dict[str, Any]:
    names = {"model.model_name_or_path": "tiny", "data.dataset": "a.jsonl,b.jsonl", "data.dataset_probs": "0.3,0.7"}
    made = convert(PEER, Settings({**names, **given}, peer="OpenRLHF", trainer=trainer))
    checked(text_of(made, "openrlhf", "test"))
    return made.values


def test_the_other_trainers():
    assert trained("sft")["method.path"] == "imitation/sft"
    assert trained("sft")["train.learning_rate"] == 5e-6
    assert [entry["weight"] for entry in trained("rm")["data.mix"]] == [0.3, 0.7]
    assert trained("rm")["method.path"] == "reward/bradley_terry"
    ipo = trained("dpo", **{"model.ipo_enable": True, "model.beta": 0.5})
    assert (ipo["method.path"], ipo["method.tau"], ipo["method.aggregate"]) == ("preference/ipo", 0.5, "sum")
    assert trained("dpo", **{"model.label_smoothing": 0.1})["method.smoothing"] == 0.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"train.batch_size": 100}, "no multiple of train.batch_size"),
        ({"algo.advantage.estimator": "vtrace"}, "no counterpart; known: gae"),
        ({"data.prompt_dataset": "a,b", "data.prompt_probs": "1"}, "2 datasets and 1 probabilities"),
    ],
)
def test_what_cannot_be_is_an_error(given, words):
    with pytest.raises(ConfigError, match=words):
        draft(given)
