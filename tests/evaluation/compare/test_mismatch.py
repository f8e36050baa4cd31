"""Three objectives of trained models, and whether one speaks for another."""

from __future__ import annotations

import pytest

from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.compare.mismatch import mismatch
from posttrain.evaluation.compare.report import as_data, markdown
from posttrain.evaluation.compare.summary import summaries
from posttrain.evaluation.compare.task import Task

TASK = Task({}, {}, lambda *_: {}, ("kl", "KL"), ("gold", "gold"), together=("accuracy", "proxy", "gold"))


def made(tmp_path, golds):
    """Models whose accuracy and proxy rise together."""
    curves = {
        f"m{i}": {0: [{"step": 0.0, "kl": 0.0, "gold": 9.0, "proxy": 0.0, "accuracy": 0.0},
                      {"step": 1.0, "kl": 1.0, "gold": g, "proxy": i + 1.0, "accuracy": 0.5 + i / 10}]}
        for i, g in enumerate(golds)
    }  # fmt: skip
    return Comparison(tmp_path, "three", TASK, curves)


@pytest.mark.paper("lambert2023c8q")
@pytest.mark.parametrize(("golds", "sign"), [((1.0, 2.0, 3.0), 1.0), ((3.0, 2.0, 1.0), -1.0)])
def test_what_was_wanted_rises_with_the_reward_or_falls(tmp_path, golds, sign):
    found = mismatch(made(tmp_path, golds))
    assert found["correlation of accuracy and proxy over 3 models"] == 1.0
    assert found["correlation of accuracy and gold over 3 models"] == sign
    assert found["correlation of proxy and gold over 3 models"] == sign


def test_the_report_has_it_and_two_models_have_none(tmp_path):
    comparison = made(tmp_path, (3.0, 2.0, 1.0))
    assert "- correlation of proxy and gold over 3 models: -1.0" in markdown(comparison, summaries(comparison))
    assert as_data(comparison, summaries(comparison))["facts"].keys() == mismatch(comparison).keys()
    assert mismatch(made(tmp_path, (1.0, 2.0))) == {}
