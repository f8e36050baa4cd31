"""Scores of a reward model are logged, shown and kept like rewards, and score held-out answers."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from posttrain.errors import ModelError
from posttrain.viewer.display import Display
from tests.harness.runs import metrics, run

PAIRS = [{"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": "ab"} for i in range(4)]
ASKED: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": "arithmetic:chat=false,size=4",
    "evaluate": {"data": "arithmetic:chat=false,split=test,size=2"},
    "sampling": {"samples": 2, "max_tokens": 2},
    "train": {"steps": 2, "prompts_per_step": 2, "samples_every": 1},
    "name": "run",
}


class Shown(Display):
    def __init__(self) -> None:
        self.rewards: list[float | None] = []

    def sample(self, prompt: str, completion: str, reward: float | None) -> None:  # noqa: ARG002
        self.rewards.append(reward)


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("scorer")
    (folder / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    train = {"steps": 1, "prompts_per_step": 4}
    asked = {"model": "tiny", "method": "reward/bradley_terry", "data": str(folder / "pairs.jsonl"), "train": train}
    return str(run(asked, folder).model)


@pytest.mark.fault("V4")
@pytest.mark.parametrize("method", [{"path": "online/grpo", "kl.weight": 0}, "online/ppo"])
def test_the_scores_of_a_reward_model_are_rewards_in_all_that_is_written(
    method: Any, scorer: str, tmp_path: Path
) -> None:
    display = Shown()
    result = run({**ASKED, "method": method, "models": {"reward": scorer}}, tmp_path, display=display)
    for row in metrics(result):
        file = result.directory / "samples" / f"step-{row['step']:06d}.jsonl"
        samples = [json.loads(line) for line in file.read_text().splitlines()]
        assert row["reward"] == pytest.approx(fmean(s["reward"] for s in samples))
        assert {"reward_std", "frac_reward_zero_std"} <= set(row)
        assert len(samples) == 4
    assert None not in display.rewards
    assert len(display.rewards) == 2
    after = result.evaluations["after"]
    assert after.asked == len(after.scores) == 2
    assert after.metrics == {"eval/reward": fmean(after.scores.values())}


def test_a_model_without_a_score_head_is_no_reward_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models.reward: the model has no score head.*reward/bradley_terry"):
        run({**ASKED, "models": {"reward": "tiny"}}, tmp_path)
