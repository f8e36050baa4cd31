"""A policy over lists of actions learns its way through a gridworld, beside a critic whose layers stay as they are."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from posttrain.config.load import load
from posttrain.data.dataset import Dataset
from posttrain.launch.run import open_session
from posttrain.procedures.rounds.act import act
from posttrain.records import Demonstration, Prompt
from tests.procedures.running import mean_reward

MAP = "S.G\n#O#"  # two steps to the east; to the south in the middle is the end
CRITIC = {"path": "tiny", "trained": "heads"}


@pytest.mark.paper("000:[10]", "000:[12]")
@pytest.mark.parametrize("method", ["online/glam", "online/twosome"])
def test_the_return_rises_with_a_critic_on_a_frozen_backbone(tmp_path: Path, method: str) -> None:
    run = {
        "model": "tiny",
        "models": {"critic": CRITIC},
        "environment": {"path": "gridworld_text", "max_turns": 2, "workers": 1},
        "procedure": {"path": "act"},
        "data": {"prompts": "arithmetic"},
        "train": {"learning_rate": {"policy": 5e-4, "critic": 1e-2}},
        "output": str(tmp_path),
        "seed": 3,
    }
    walk, told = Prompt(1, "Walk.", {"map": MAP}), [Demonstration(2, "Walk.", "east")]
    with open_session(load(run)) as session:
        start = session.embed("start", told)
        end = act(session, Dataset((walk,), "walk"), rounds=4, samples=16, method=method)
        folder = session.run.journal.folder
        assert folder is not None
        returns = [2 * mean_reward(folder, f"round-{n}") for n in range(1, 5)]  # of two decisions, unless it fell
        assert end["return"] == returns[-1]
        assert fmean(returns[1:]) > returns[0] + 0.2, returns
        assert session.embed("critic", told, role="critic") == start
        assert session.embed("policy", told) != start
