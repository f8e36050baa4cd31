"""Whole runs of models that only transformers can run: slower, said once, with all that runs promise otherwise."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.run import open_session
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import byte_tokenizer
from posttrain.models.padded import Padded
from posttrain.models.without_adapters import WithoutAdapters
from tests.harness.runs import SHORT, SUMS, Interrupt, PowerCut, metrics, run, same_bits
from tests.models.tiny import padded

GRPO: dict[str, Any] = {"method": "online/grpo", "data": SUMS, "rewards": ["mine.py:sums"]}
DPO: dict[str, Any] = {"method": "preference/dpo", "data": SUMS}
SPARE = ["train.async_steps=1", "sampling.spare_prompts=1", "sampling.slots=4"]
REWARD = """
def sums(completions):
    return [sum(map(ord, text)) % 7 / 7 for text in completions]
"""
BRIEF = [f"{k}={v}" for k, v in SHORT.items()]


@pytest.fixture(scope="module", params=["Gemma2", "Mamba"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(request.param, tmp_path_factory.mktemp(request.param))


def saved(architecture: str, folder: Path) -> Path:
    tokenizer = byte_tokenizer()
    net = padded(architecture, vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id)
    save(net.float(), tokenizer, folder)
    (folder / "mine.py").write_text(REWARD)
    return folder


def content(folder: Path, kind: dict[str, Any], **model: Any) -> dict[str, Any]:
    model = {"path": str(folder), "dtype": "float32", **model}
    made = {**kind, "model": model, "train": {"steps": 3, "save_every": 1}, "sampling": {"samples": 4}}
    return made | {"rewards": [f"{folder}/{r}" for r in kind.get("rewards", ())]}


@pytest.mark.parametrize("kind", [GRPO, DPO], ids=["grpo", "dpo"])
def test_a_run_says_once_that_it_is_slow_and_resumes_to_the_same_bits(
    folder: Path, kind: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(content(folder, kind), tmp_path / "whole", *BRIEF)
    (said,) = [r.message for r in caplog.records if r.name.startswith("posttrain") and r.levelno >= logging.WARNING]
    assert said.startswith(f"{folder} cannot run on flat tokens")
    with pytest.raises(Interrupt):
        run(content(folder, kind), tmp_path / "cut", *BRIEF, display=PowerCut(2))
    resumed = run(content(folder, kind), tmp_path / "cut", *BRIEF, resume=True)
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)
    if kind is GRPO:
        assert max(row["sampling/logp_difference"] for row in metrics(whole)) < 1e-4
    assert all(row["grad_norm"] > 0 for row in metrics(whole))


def test_answers_drawn_ahead_with_spare_prompts_resume_to_the_same_bits(tmp_path: Path) -> None:
    made = content(saved("Gemma2", tmp_path / "model"), GRPO)
    whole = run(made, tmp_path / "whole", *BRIEF, *SPARE)
    with pytest.raises(Interrupt):
        run(made, tmp_path / "cut", *BRIEF, *SPARE, display=PowerCut(2))
    assert same_bits(run(made, tmp_path / "cut", *BRIEF, *SPARE, resume=True), whole)


def test_ppo_with_adapters_and_checkpointing(tmp_path: Path) -> None:
    made = content(saved("Gemma2", tmp_path / "model"), GRPO, lora={"rank": 2}, activation_checkpointing=True)
    made |= {"method": "online/ppo_adaptive_kl"}
    with open_session(load(made, [*BRIEF, f"output={tmp_path}"])) as session:
        trained = session.train(made["method"], session.dataset(session.run.file.data["main"], "prompts"))
        policy, critic, reference = (session.run.learner.models[r] for r in ("policy", "critic", "reference"))
    assert isinstance(policy, Padded)
    assert isinstance(reference, WithoutAdapters)
    assert "value" in critic.heads
    assert trained["sampling/logp_difference"] < 1e-4


def test_mixtures_are_refused(tmp_path: Path) -> None:
    made = content(saved("Gemma2", tmp_path / "model"), GRPO) | {"method": "online/nash_md"}
    with pytest.raises(ConfigError, match="cannot mix models, here policy"):
        run(made, tmp_path, *BRIEF)
