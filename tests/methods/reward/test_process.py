"""Scores of steps and of outcomes."""

import json

import pytest
import torch

from posttrain.catalogue.index import load
from posttrain.core.rows import Rows
from posttrain.formulas.losses.steps import SOLUTION_SCORES
from tests.harness.numbers import answer, step
from tests.harness.runs import metrics, run

ROWS = Rows(torch.tensor([0] * 4 + [1] * 3), torch.tensor([False, True, False, True, False, True, False]), 2)
SCORES = torch.tensor([9.0, 2.0, -9.0, -0.5, 9.0, 1.0, 9.0], dtype=torch.float64)


def test_a_solution_of_one_step_is_an_outcome():
    for label in (0.0, 1.0, 0.3):
        process = step(load("reward/process"), answer(prefix_score=[0.7], step_label=[label]))
        outcome = step(load("reward/outcome"), answer(other=[0.0], score=0.7, label=label))
        assert process.metrics["loss"] == pytest.approx(outcome.metrics["loss"], abs=1e-14)
        assert process.gradient("prefix_score")[0] == pytest.approx(outcome.gradient("score"), abs=1e-14)


def test_the_least_step_bounds_the_others_and_the_product_is_that_all_are_right():
    least, product, last, mean = (score(SCORES, ROWS) for score in SOLUTION_SCORES.values())
    first, second = 1 / (1 + torch.tensor([-2.0, 0.5], dtype=torch.float64).exp())
    torch.testing.assert_close(least[0], second)
    torch.testing.assert_close(product[0].exp(), first * second)
    torch.testing.assert_close(last[0], second)
    torch.testing.assert_close(mean[0], (first + second) / 2)
    assert all(x[1] == pytest.approx(SCORES[5].sigmoid()) for x in (least, product.exp(), last, mean))


def test_a_soft_label_is_met_at_its_log_odds():
    one = step(load("reward/process"), answer(prefix_score=[1.0986122886681098], step_label=[0.75]))
    assert one.gradient("prefix_score")[0] == pytest.approx([0.0], abs=1e-12)


def test_steps_of_a_file_are_learned(tmp_path):
    rows = [{"prompt": f"{i}:", "steps": ["ok", "no" if i % 2 else "ok"], "labels": [1, 1 - i % 2]} for i in range(8)]
    (tmp_path / "steps.jsonl").write_text("\n".join(map(json.dumps, rows)))
    train = {"steps": 6, "prompts_per_step": 8, "learning_rate": 3e-3}
    asked = {"model": "tiny", "method": "reward/process", "data": str(tmp_path / "steps.jsonl"), "train": train}
    found = metrics(run(asked, tmp_path))
    assert found[-1]["loss"] < found[0]["loss"]
