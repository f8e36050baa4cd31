"""What a run leaves behind: the model that it is about, and every other model that it has trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.config.load import load
from posttrain.core.plan import PlanError
from posttrain.errors import ConfigError
from posttrain.launch.run import open_session
from posttrain.models.loading.load import load as load_model
from tests.harness.runs import SUMS, run

WORDS = "reverse_text:chat=false,size=8"


def test_every_model_that_was_trained_is_saved(tmp_path: Path) -> None:
    stage = {"steps": 1, "prompts_per_step": 4}
    content = {
        "model": "tiny",
        "procedure": {"path": "instructgpt", "sft": stage, "reward": stage, "ppo": stage},
        "data": {"demonstrations": WORDS, "pairs": WORDS, "prompts": WORDS},
        "rewards": ["exact_match"],
        "sampling": {"max_tokens": 4, "samples": 2},
    }
    result = run(content, tmp_path)
    assert set(result.models) == {"policy", "reward"}
    assert result.model == result.models["policy"] == result.directory / "final"
    assert result.models["reward"] == result.directory / "models" / "reward"
    reward = load_model(str(result.models["reward"])).network
    assert "score" in reward.heads
    assert bool(reward.heads["score"].get_parameter("weight").any())
    policy = load_model(str(result.model)).network
    assert not torch.equal(policy.unembedding[0], reward.unembedding[0])
    assert (result.models["reward"] / "README.md").exists()


def test_a_reward_model_and_reward_functions_are_two_sources(tmp_path: Path) -> None:
    reward = run({"model": "tiny", "method": "reward/bradley_terry", "data": WORDS}, tmp_path / "a", "train.steps=1")
    content = {
        "model": "tiny",
        "models": {"reward": str(reward.model)},
        "method": "online/grpo",
        "data": SUMS,
        "rewards": ["math_answer"],
    }
    with pytest.raises(PlanError, match="reward has two sources: .* models.reward is given"):
        run(content, tmp_path / "b", "train.steps=1", "sampling.max_tokens=2")
    alone = {k: v for k, v in content.items() if k != "rewards"}
    short = ("train.steps=1", "sampling.max_tokens=2", "train.prompts_per_step=2")
    assert run(alone, tmp_path / "c", *short).metrics["optimiser_steps"] == 1


def test_a_session_of_a_model_alone_needs_no_method() -> None:
    with open_session(load({"model": "tiny"}, complete=False), write=False) as session:
        assert session.run.file.method is None
    with pytest.raises(ConfigError, match="method is missing"):
        load({"model": "tiny", "data": SUMS})


def test_the_template_that_was_trained_with_is_saved_with_the_model(tmp_path: Path) -> None:
    own = load_model("tiny").tokenizer.chat_template
    (tmp_path / "mine.jinja").write_text("{# mine #}" + own)
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    (tmp_path / "talk.jsonl").write_text(json.dumps({"messages": talk}))
    content = {
        "model": {"path": "tiny", "chat_template": str(tmp_path / "mine.jinja")},
        "method": "imitation/sft",
        "data": str(tmp_path / "talk.jsonl"),
    }
    result = run(content, tmp_path / "runs", "train.steps=1")
    assert result.model is not None
    assert (result.model / "chat_template.jinja").read_text() == "{# mine #}" + own
    assert load_model(str(result.model)).tokenizer.chat_template == "{# mine #}" + own
