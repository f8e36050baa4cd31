"""The report on a reward model: what is in it, as data and as text."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.reward_models import figure
from posttrain.evaluation.reward_models.judged import JudgedCandidates, JudgedPair
from posttrain.evaluation.reward_models.report import as_data, lines, markdown, of_candidates, of_pairs

PAIRS = [
    JudgedPair(m, 0.0, (i % 3, 1), {"subset": s, "level": i % 2, "chosen_model": "abc"[i % 3], "rejected_model": "d"})
    for i, (m, s) in enumerate([(1.0, "math-prm"), (-1.0, "hep-go"), (0.0, "hep-go"), (2.0, "mine"), (0.5, "mine")])
]


def test_a_report_on_pairs():
    found = of_pairs(PAIRS, ("subset", "level", "nothing"))
    assert found["accuracy"].mean == pytest.approx(3.5 / 5)
    assert found["ties"] == 1
    assert {s: x.mean for s, x in found["groups"]["subset"].items()} == {"math-prm": 1.0, "hep-go": 0.25, "mine": 1.0}
    assert found["worst"] == {"subset": "hep-go", "level": "1"}
    assert found["reward_bench"]["Reasoning"] == found["reward_bench"]["score"] == pytest.approx(984 / (984 + 164))
    text = markdown(found, "a model")
    for heading in (
        "# a model",
        "## By subset",
        "## By level",
        "## RewardBench",
        "## Reliability",
        "## Length",
        "## Models",
    ):
        assert heading in text
    assert "lowest subset: hep-go 0.2500" in text
    assert "1 pairs have two equal scores" in "\n".join(lines(found))
    json.dumps(as_data(found), allow_nan=False)


def test_what_the_data_do_not_tell_is_absent():
    found = of_pairs([JudgedPair(-1.0, 0.0)])
    assert found.keys() == {"accuracy", "ties", "groups", "worst", "calibration"}
    assert as_data(found)["calibration"]["temperature"] is None  # infinite
    assert "## Length" not in markdown(found, "")


def test_a_report_on_candidates():
    items = [
        JudgedCandidates((3.0, 1.0, 2.0, 0.0), (i == 0, i == 1, False, False), {"subset": "Math", "num_correct": 1})
        for i in (0, 1)
    ]
    found = of_candidates(items)
    assert found["accuracy"].mean == 0.5
    assert found["reward_bench_2"] == {"Math": 0.5, "score": 0.5}
    assert found["best_of_n"][4] == {"own": 0.5, "perfect": 1.0}
    assert found["roc_area"] == pytest.approx((1 + 1 / 3) / 2)
    assert "## Best of n" in markdown(found, "")


@pytest.mark.parametrize("found", [of_pairs(PAIRS), of_candidates([JudgedCandidates((1.0, 0.0), (True, False))])])
def test_the_figure(found, tmp_path):
    if not figure.available():
        pytest.skip("needs matplotlib")
    assert [p.name for p in figure.draw(found, tmp_path, "a model")] == ["figure.png", "figure.svg"]
    assert (tmp_path / "figure.png").stat().st_size > 5000
