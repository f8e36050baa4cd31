"""Options with probabilities: accuracy, calibration and selective accuracy of planted models."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.suites.capability.multiple_choice import multiple_choice
from tests.evaluation.scripted import believed


def sure(item, p=0.9, wrong=False):
    first = (item["options"][0] == item["answer"]) != wrong
    return (p, 1 - p) if first else (1 - p, p)


def test_a_model_that_is_as_sure_as_it_is_right_is_calibrated():
    suite = multiple_choice(size=10)
    wrong = suite.prompts[3].id
    numbers = believed(suite, lambda i: sure(i, wrong=i.prompt.id == wrong)).numbers
    assert numbers["accuracy"].mean == numbers["confidence"].mean == pytest.approx(0.9)
    assert numbers["ece"].mean == pytest.approx(0.0)
    assert numbers["brier"].mean == pytest.approx((9 * 0.01 + 0.81) / 10)


def test_a_model_that_knows_when_it_is_wrong_is_right_where_it_is_sure():
    suite = multiple_choice(size=10, coverage=0.6)
    unsure = {p.id for p in suite.prompts[:4]}
    numbers = believed(suite, lambda i: sure(i, 0.6, wrong=True) if i.prompt.id in unsure else sure(i)).numbers
    assert numbers["accuracy"].mean == 0.6
    assert numbers["selective_accuracy"].mean == 1.0
    assert numbers["ece"].mean == pytest.approx((6 * 0.1 + 4 * 0.6) / 10)
    assert numbers["risk_coverage_area"].mean == pytest.approx(sum((k - 6) / k for k in (7, 8, 9, 10)) / 10)


def test_the_right_option_is_first_about_as_often_as_second():
    first = [p.columns["options"][0] == p.columns["answer"] for p in multiple_choice(size=60).prompts]
    assert 20 < sum(first) < 40


def test_groups_are_columns_of_the_pairs(tmp_path):
    rows = [{"prompt": str(i), "chosen": "yes", "rejected": "no", "behaviour": "ab"[i % 2]} for i in range(6)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    suite = multiple_choice(data=str(tmp_path / "p.jsonl"), group="behaviour")
    numbers = believed(suite, lambda i: sure(i, wrong=i["behaviour"] == "b")).numbers
    assert (numbers["accuracy[behaviour=a]"].mean, numbers["accuracy[behaviour=b]"].mean) == (1.0, 0.0)
