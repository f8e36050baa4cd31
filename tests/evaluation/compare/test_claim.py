"""What a claim expects, held against measurements that were made up; and one small claim from file to picture."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from posttrain.cli.main import app
from posttrain.errors import ConfigError
from posttrain.evaluation.compare.claim import CONTRADICTED, NOT_SHOWN, SHOWN, Claim, findings, load_claim, verdict
from tests.evaluation.compare.given import found, quick

HALF = 4.302653 / math.sqrt(3)  # Student's t(2) times the standard error of 1, 2, 3 and the like
IPO, DPO = "preference/ipo", "preference/dpo"


def claim(*expect):
    return Claim(paper="rafailov20239ck", says="x", compare=(DPO, IPO), task="gold_reward", expect=expect)


def by(tmp_path, **expectation):
    (one,) = findings(claim({"measure": "gold", "of": IPO, **expectation}), found(tmp_path))
    return one


def test_the_difference_is_paired_by_seed_in_the_expected_direction(tmp_path):
    """ipo ends ahead of dpo by 1, 2, 3."""
    ahead, behind = by(tmp_path, above=DPO), by(tmp_path, below=DPO)
    assert (ahead.by, ahead.low, ahead.high) == pytest.approx((2, 2 - HALF, 2 + HALF))
    assert (behind.by, behind.low, behind.high) == pytest.approx((-2, -2 - HALF, -2 + HALF))


def test_points_of_the_training_and_numbers(tmp_path):
    """dpo is best with 2, 3, 4 and ends with 1, 2, 3; ipo ends with 2, 4, 6; both begin with 0."""
    assert by(tmp_path, at="best", of=DPO, above=DPO, than_at="end").by == 1
    assert by(tmp_path, of=DPO, above=DPO, than_at="start").by == 2
    assert by(tmp_path, above=1.5).by == pytest.approx(2.5)
    assert by(tmp_path, measure="kl", below=5).by == 1


def test_a_claim_is_shown_by_all_of_its_expectations_and_contradicted_by_one(tmp_path):
    sure, unsure, wrong = by(tmp_path, of=DPO, above=-9), by(tmp_path, above=DPO), by(tmp_path, of=DPO, above=9)
    assert (sure.holds, unsure.holds, wrong.holds) == (SHOWN, NOT_SHOWN, CONTRADICTED)
    assert verdict([sure]) == SHOWN
    assert verdict([sure, unsure]) == NOT_SHOWN
    assert verdict([sure, unsure, wrong]) == CONTRADICTED


def test_a_measurement_that_the_task_does_not_make(tmp_path):
    with pytest.raises(ConfigError, match="no 'golde'.*did you mean 'gold'"):
        by(tmp_path, measure="golde", above=DPO)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{measure: kl, of: preference/dpo}", "write either above or below"),
        ("{measure: kl, of: preference/dpo, above: 1, below: 2}", "write either above or below"),
        ("{measure: kl, of: preference/dop, above: 1}", "'preference/dop'.*preference/dpo"),
        ("{measure: kl, of: preference/dpo, above: preference/kto}", "'preference/kto'.* not under compare"),
        ("{measure: kl, of: preference/dpo, abve: 1}", "abve"),
    ],
)
def test_an_expectation_that_cannot_be_held_against_anything(tmp_path, expect, said):
    file = tmp_path / "a.yaml"
    file.write_text(f"paper: a\nsays: b\ncompare: [preference/dpo]\ntask: gold_reward\nexpect: [{expect}]\n")
    with pytest.raises(ConfigError, match=said):
        load_claim(file)


def test_from_a_file_to_a_verdict_and_a_picture(tmp_path):
    """The margin of DPO grows, on two seeds of a task that lies beside the claim."""
    pytest.importorskip("matplotlib")
    quick(tmp_path)
    text = "paper: DPO\nkey: rafailov20239ck\nsays: DPO opens a gap.\ncompare: [preference/dpo]\n"
    text += "task: {path: ./quick.py, rate: 0.003}\n"
    text += "seeds: 2\nexpect: [{measure: margin, of: preference/dpo, above: preference/dpo, than_at: start}]\n"
    (tmp_path / "gap.yaml").write_text(text)
    done = CliRunner().invoke(
        app, ["claim", f"{tmp_path}/gap.yaml", "--output", f"{tmp_path}/runs", "--results", f"{tmp_path}/results"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "results" / "gap.json").read_text())
    assert told["task"] == {"path": "quick.py", "rate": 0.003}
    assert [f["expectation"] for f in told["found"]] == [
        "margin of preference/dpo at the end > preference/dpo at the start"
    ]
    assert told["found"][0]["by"] > 0
    assert f"gap: {told['verdict']}" in done.output
    assert (tmp_path / "results" / "gap.png").read_bytes().startswith(b"\x89PNG")


def test_a_paper_that_nobody_knows(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "paper: DPO\nkey: rafailov\nsays: b\ncompare: [preference/dpo]\ntask: gold_reward\n"
        "expect: [{measure: kl, of: preference/dpo, above: 0}]\n"
    )
    done = CliRunner().invoke(app, ["claim", str(file)])
    assert isinstance(done.exception, ConfigError)
    assert "no paper 'rafailov'" in str(done.exception)
