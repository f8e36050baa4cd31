"""Procedures without gradients on the embedded model: what was collected says where the policy must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.backends.local.direction import movable, shift
from posttrain.backends.protocol import Direction, Shape
from posttrain.launch.result import Result
from posttrain.models.loading.tiny import tiny_model
from posttrain.seeds import seed_for
from posttrain.selection.directions import rank_weights, value_difference
from tests.data.rollouts import said
from tests.harness.runs import metrics, run, weights
from tests.procedures.running import BRIEF, collected, content, mean_reward

LETTERS = "mine.py:letters"


def made(name: str, folder: Path, **settings: Any) -> Result:
    given = content(name, folder, prompts_per_round=8, **settings)
    if name == "zo_ranksgd":
        given["rewards"] = [f"{folder}/{LETTERS}"]  # digits are too rare to tell policies apart
    return run(given, folder / "run", *BRIEF)


def check(result: Result, shape: Shape, lengths: dict[str, float]) -> None:
    """The policy is the first one plus these lengths along the directions of these names."""
    module = tiny_model()[0]
    for name, length in lengths.items():
        shift(movable(module), Direction(seed_for(3, "direction", name), shape), length)
    wanted = module.trunk.state_dict()
    for name, x in weights(result.model).items():
        assert float((wanted[name.partition(":")[2]] - x).abs().max()) < 1e-6
    assert any(x != 0 for x in lengths.values())


@pytest.mark.paper("tang2023lop")
def test_zo_ranksgd_is_where_the_ranks_have_led(tmp_path: Path) -> None:
    result = made("zo_ranksgd", tmp_path, rounds=2, directions=4, ranked=2, smoothing=0.02, rate=0.01)
    lengths = {}
    for n in (1, 2):
        names = [f"{n}-{i}" for i in (1, 2, 3, 4)]
        earned = [mean_reward(result.directory, f"round-{x}") for x in names]
        lengths |= {x: 0.01 * w for x, w in zip(names, rank_weights(earned, 2), strict=True)}
        assert metrics(result)[n - 1]["reward_best"] == pytest.approx(max(earned))
    check(result, "normal", lengths)


@pytest.mark.paper("zhang2024w99")
@pytest.mark.parametrize("coordinates", [None, 5000])
def test_zpg_is_where_the_preferences_have_led(coordinates: int | None, tmp_path: Path) -> None:
    settings = {"smoothing": 0.02, "rate": 1e-4, "directions": 2, "coordinates": coordinates}
    result = made("zpg", tmp_path, rounds=2, **settings)
    lengths = {}
    for name in ("1-1", "1-2", "2-1", "2-2"):
        rows = collected(result.directory, f"round-{name}")
        assert {row["author"] for row in rows} == {0, 1}
        answers = [said(0, "a", row["reward"], author=row["author"]) for row in rows]
        lengths[name] = 1e-4 / 0.02 / 2 * value_difference(answers, 0.05)
    check(result, coordinates or "sphere", lengths)
