"""A method that reads every reward of the run by itself gets them with their weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.errors import ConfigError
from tests.harness.runs import SUMS, metrics, run

GDPO = {"model": "tiny", "method": {"path": "online/gdpo", "kl.weight": 0}, "data": SUMS}
BRIEF = ["train.steps=1", "sampling.samples=4", "sampling.max_tokens=4", "train.prompts_per_step=4"]
LENGTH = "tests.rewards.faulty:length"


def gdpo(folder: Path, *rewards: object) -> dict[str, float]:
    (row,) = metrics(run({**GDPO, "rewards": list(rewards)}, folder, *BRIEF, "train.learning_rate=1e-3"))
    return row


def test_a_reward_in_other_units_and_one_without_weight_change_nothing(tmp_path: Path) -> None:
    alone = gdpo(tmp_path / "alone", LENGTH)
    heavy = gdpo(tmp_path / "heavy", {"path": LENGTH, "weight": 50}, {"path": "exact_match", "weight": 0})
    assert heavy["reward"] == pytest.approx(50 * alone["reward"])
    assert alone["grad_norm"] > 0
    assert heavy["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-4)


def test_without_rewards_the_plan_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reward"):
        gdpo(tmp_path)
