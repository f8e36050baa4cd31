"""What the recipes of named models are for, on the embedded model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.network import Network
from posttrain.procedures.pipelines.gemini import gemini
from tests.harness.runs import metrics, run
from tests.harness.scripted_session import ScriptedSession, prompts
from tests.procedures.running import BRIEF, content


def larger_model(folder: Path) -> Path:
    from transformers import LlamaForCausalLM

    network, tokenizer = tiny_model()
    config = network.trunk.config
    config.hidden_size, config.intermediate_size = 144, 288
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        trunk = LlamaForCausalLM(config)
    save(Network(trunk).eval(), tokenizer, folder)
    return folder


@pytest.mark.paper("002:Gemini")
def test_gemini_pursues_the_reward_model_of_the_newest_comparisons() -> None:
    answers = {f"round-{n}": {"x?": {f"a{n}": 0.1, f"b{n}": 0.9}} for n in (1, 2)}
    session = ScriptedSession(answers=answers)
    gemini(session, prompts("x?"), rounds=2)
    asked, fitted, pursued = session.transcript[3:]
    assert "of policy=#2" in asked
    assert "x?: b1 > a1; x?: b2 > a2" in fitted
    assert "reward=#3" in pursued
    assert "critic=#3" in pursued


@pytest.mark.paper("002:Gemma 2")
def test_gemma2_rates_with_a_larger_model_that_reads_all_turns(tmp_path: Path) -> None:
    """The last question is the same everywhere; only the first turn tells which of two answers is better."""
    rows = []
    for i in range(8):
        wish, right, wrong = ("digits", "12", "ab") if i % 2 else ("letters", "ab", "12")
        asked = [
            {"role": "user", "content": wish},
            {"role": "assistant", "content": "?"},
            {"role": "user", "content": "!"},
        ]
        rows.append({"prompt": asked, "chosen": right, "rejected": wrong})
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    given = content("gemma2", tmp_path, members=1, reward={"steps": 2, "prompts_per_step": 8})
    given["data"]["pairs"] = str(tmp_path / "pairs.jsonl")
    given["models"] = {"reward": str(larger_model(tmp_path / "larger"))}
    found = metrics(run(given, tmp_path / "run", *BRIEF))
    assert abs(found[1]["margin"]) > 1e-4  # else each gap would occur with both signs, and the mean be 0
