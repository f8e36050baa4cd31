"""Evaluations before, during and after the training, and what a resumed run makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.launch.result import Result
from posttrain.records import Episode, Prompt
from posttrain.training.evaluation import Evaluation
from tests.harness.runs import SUMS, Interrupt, PowerCut, metrics, run, same_bits

GRPO: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": SUMS,
    "rewards": ["tests.rewards.faulty:length"],
    "evaluate": {"data": "arithmetic:chat=false,split=test,size=4", "every": 2},
    "sampling": {"samples": 2, "max_tokens": 4},
    "train": {"steps": 5, "prompts_per_step": 2, "learning_rate": 1e-2, "save_every": 1},
    "name": "run",
}
NAMES = ["before", "step 2", "step 4", "after"]


@pytest.fixture(scope="module")
def whole(memory: Path) -> Result:
    return run(GRPO, memory / "whole")


def test_a_run_is_evaluated_every_so_often(whole: Result) -> None:
    result = whole
    assert list(result.evaluations) == NAMES
    rows = metrics(result)
    assert [row.get("eval/reward") for row in rows] == [
        None,
        result.evaluations["step 2"].mean,
        None,
        result.evaluations["step 4"].mean,
        None,
    ]
    assert {f.stem for f in (result.directory / "evaluations").iterdir()} == {n.replace(" ", "-") for n in NAMES}


def test_it_does_not_change_the_training(whole: Result, tmp_path: Path) -> None:
    seldom = {**GRPO, "evaluate": {**GRPO["evaluate"], "every": None}}
    one, two = whole, run(seldom, tmp_path / "two")
    assert same_bits(one, two)
    assert [{k: v for k, v in row.items() if k != "eval/reward"} for row in metrics(one)] == metrics(two)


@pytest.mark.parametrize("cut", [2, 3, 5])
def test_a_resumed_run_has_all_evaluations_and_makes_none_twice(cut: int, whole: Result, tmp_path: Path) -> None:
    with pytest.raises(Interrupt):
        run(GRPO, tmp_path / "cut", display=PowerCut(cut))
    before = tmp_path / "cut" / "run" / "evaluations" / "before.jsonl"
    stamp = before.stat().st_mtime_ns
    resumed = run(GRPO, tmp_path / "cut", resume=True)
    assert list(resumed.evaluations) == NAMES
    for name in NAMES:
        assert resumed.evaluations[name].scores == whole.evaluations[name].scores
    assert before.stat().st_mtime_ns == stamp
    assert metrics(resumed) == metrics(whole)


OTHER = {"data": "arithmetic:chat=false,split=test,size=3", "every": 1}


@pytest.mark.parametrize(
    ("began", "resumed", "names"),
    [
        (None, {**GRPO["evaluate"], "every": 1}, ["step 3", "step 4", "step 5", "after"]),
        (GRPO["evaluate"], OTHER, ["step 3", "step 4", "step 5", "after"]),
        (
            GRPO["evaluate"],
            {**GRPO["evaluate"], "every": 1},
            ["before", "step 2", "step 3", "step 4", "step 5", "after"],
        ),
        (GRPO["evaluate"], None, []),
    ],
    ids=["added", "other data", "more often", "removed"],
)
def test_a_resumed_run_may_be_evaluated_otherwise(
    began: Any, resumed: Any, names: list[str], whole: Result, tmp_path: Path
) -> None:
    with pytest.raises(Interrupt):
        run({**GRPO, "evaluate": began}, tmp_path, display=PowerCut(3))
    result = run({**GRPO, "evaluate": resumed}, tmp_path, resume=True)
    assert list(result.evaluations) == names
    assert same_bits(result, whole)
    if resumed == OTHER:  # not those of the data before
        assert {e.asked for e in result.evaluations.values()} == {3}


def test_the_score_of_a_prompt_is_the_mean_of_its_answers_and_unscored_ones_do_not_count() -> None:
    def said(prompt: int, reward: float | None) -> Episode:
        return Episode.of_answer(Prompt(prompt, "?"), 0, 0, (1,), (2,), (0.0,), True, reward=reward)

    made = Evaluation.of([said(0, 1.0), said(0, 0.0), said(1, 1.0), said(1, None), said(2, None)])
    assert made.scores == {0: 0.5, 1: 1.0}
    assert made.mean == 0.75


def test_every_without_a_stage_is_harmless(tmp_path: Path) -> None:
    content = json.loads(json.dumps(GRPO))
    content["train"]["steps"] = 1
    assert list(run(content, tmp_path).evaluations) == ["before", "after"]
