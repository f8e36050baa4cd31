"""Runs whose rewards are shaped: what is logged, what is cached, and the same bits after a cut."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.checks import check_before_loading
from posttrain.launch.run import open_session
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits

LENGTH = "tests.rewards.faulty:length"
ASKED: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": "arithmetic:chat=false,size=4",
    "rewards": [
        {"path": LENGTH, "transform": ["contrastive", {"path": "log_sigmoid"}]},
        {"path": "exact_match", "transform": "running_whiten"},
    ],
    "scoring": {"baseline": 2, "transform": {"path": "running_whiten", "centred": False}, "workers": 0},
    "sampling": {"samples": 2, "max_tokens": 4},
    "train": {"steps": 3, "prompts_per_step": 2, "samples_every": 1, "save_every": 1, "learning_rate": 1e-2},
    "evaluate": {"data": "arithmetic:chat=false,split=test,size=1"},
    "name": "a",
}


@pytest.mark.paper("000:[53]", "fu2025hl3")
def test_components_and_result_are_logged_the_baseline_is_asked_once_and_a_cut_run_has_the_same_bits(
    tmp_path: Path,
) -> None:
    whole = run(ASKED, tmp_path / "whole")
    kept = [json.loads(line) for line in (whole.directory / "baselines" / "0-grpo.jsonl").read_text().splitlines()]
    assert len(kept) == 8
    for row in metrics(whole):
        file = whole.directory / "samples" / f"step-{row['step']:06d}.jsonl"
        samples = [json.loads(line) for line in file.read_text().splitlines()]
        assert row["reward"] == pytest.approx(fmean(s["reward"] for s in samples))
        assert row["rewards/length/mean"] == fmean(s["rewards"]["length"] for s in samples)
        assert row["rewards/length/shaped"] == pytest.approx(fmean(s["shaped"]["length"] for s in samples))
        assert all(s["shaped"]["length"] < 0 for s in samples)
    after = whole.evaluations["after"].rollouts[0]
    assert after.reward == sum(after.rewards.values())  # as the functions gave it
    with pytest.raises(Interrupt):
        run(ASKED, tmp_path / "cut", display=PowerCut(2))
    resumed = run(ASKED, tmp_path / "cut", resume="latest")
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rewards": [{"path": LENGTH, "transform": "clp"}]}, "no transform 'clp'"),
        ({"scoring": {"combine": "wurst"}}, "no combine 'wurst'"),
        ({"scoring": {"baseline": 3}, "rewards": [LENGTH]}, "scoring.baseline: no transform of a reward compares"),
        ({"scoring": {"transform": "clip"}, "rewards": []}, "scoring.transform: there are no rewards"),
        ({"method": "imitation/sft"}, "sft samples nothing, so no reward is shaped; remove rewards.0.transform"),
    ],
)
def test_what_would_not_be_used_is_an_error_before_a_model_is_loaded(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_before_loading(load({**ASKED, **changed}))


def test_a_procedure_has_no_baseline_answers(tmp_path: Path) -> None:
    content = {**ASKED, "output": str(tmp_path), "evaluate": None}
    with (
        open_session(load(content)) as session,
        pytest.raises(ConfigError, match="a procedure scores what it collects"),
    ):
        session.score([])
