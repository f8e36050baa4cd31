"""Recipes with environments, on the embedded model: episodes are played, scored and trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.config.load import load
from posttrain.environments import lookup
from tests.harness.runs import metrics, run

RECIPES = Path(__file__).parents[3] / "recipes"


@pytest.mark.paper("su20257nq", "chen20253a4")
@pytest.mark.parametrize("recipe", ["v_tool_rl", "rrvf"])
def test_an_environment_trains_through_its_recipe(recipe, tmp_path):
    (task,) = lookup.load(load(RECIPES / f"smollm2_{recipe}.yaml").environment.path).tasks(1, 0)
    (tmp_path / "task.jsonl").write_text(json.dumps({**task, "prompt": "?"}))
    result = run(
        RECIPES / f"smollm2_{recipe}.yaml", tmp_path, "model=tiny", f"data={tmp_path}/task.jsonl", "evaluate=null",
        "train.steps=1", "train.prompts_per_step=1", "sampling.samples=2", "sampling.max_tokens=4",
        "environment.workers=1", "train.save_minutes=0",
    )  # fmt: skip
    found = metrics(result)[-1]
    assert found["errors/environment"] == 0
    assert found["rewards/environment/mean"] == 0.0
    assert found["environment/turns"] == {"v_tool_rl": 4, "rrvf": 1}[recipe]
