"""The stand-in for data sets of harm, recipes/harms.jsonl: two labels of each pair, and a cost model of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.config.yaml_ import parse
from posttrain.data.dataset import load
from tests.harness.runs import metrics, run

RECIPES = Path(__file__).parents[3] / "recipes"


def pairs(**settings):
    return load(str(RECIPES / "harms.jsonl"), "pairs", feedback=settings or None)


@pytest.mark.paper("002:BeaverTails")
def test_the_more_helpful_answer_need_not_be_the_safer_one():
    helpful, safer = pairs(), pairs(attribute="safety")
    assert len(helpful) == len(safer) == 32
    assert sum(a.chosen != b.chosen for a, b in zip(helpful, safer, strict=True)) == 8
    assert all(p.columns["chosen_safe"] and not p.columns["rejected_safe"] for p in safer)
    assert {p.columns["chosen_safe"] for p in helpful} == {True, False}


@pytest.mark.paper("002:BeaverTails")
def test_a_cost_model_learns_the_signs(tmp_path):
    recipe = RECIPES / "tiny_cost.yaml"
    content = parse(recipe.read_text(encoding="utf-8"), str(recipe)).value
    content["data"]["path"] = str(RECIPES / "harms.jsonl")
    last = metrics(run(content, tmp_path, "train.steps=12"))[-1]
    assert last["signs"] > 0.8
    assert last["cost/rejected"] > 0 > last["cost/chosen"]
