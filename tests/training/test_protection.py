"""Private runs from end to end: the budget, the ledger across a resume, and the same bits."""

import json

import pytest

from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits

pytestmark = pytest.mark.paper("wu2023pjz")

SFT = {
    "model": {"path": "tiny", "lora": {"rank": 2}},
    "method": {"path": "imitation/sft", "loss.reduce": "sequence_mean"},
    "data": "arithmetic:chat=false,size=12",
    "train": {"steps": 3, "prompts_per_step": 2, "learning_rate": 1e-3, "save_every": 1, "privacy": {"epsilon": 6.0}},
    "seed": 5,
    "name": "run",
}


def test_a_resumed_run_continues_the_ledger_bit_for_bit(tmp_path):
    whole = run(SFT, tmp_path / "whole")
    with pytest.raises(Interrupt):
        run(SFT, tmp_path / "cut", display=PowerCut(1))
    resumed = run(SFT, tmp_path / "cut", resume=True)
    spent = [row["privacy/epsilon"] for row in metrics(whole)]
    assert spent == sorted(spent)
    assert 5.9 < spent[-1] <= 6.0
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)
    facts = json.loads((resumed.directory / "run.json").read_text())["privacy"]
    assert facts["epsilon"] == spent[-1]
    assert facts["share_per_step"] == 2 / 12


def test_a_spent_budget_ends_the_run(tmp_path):
    first = run(SFT, tmp_path, "train.steps=2")
    longer = run(SFT, tmp_path, "train.steps=6", resume=True)
    assert longer.directory == first.directory
    ended = json.loads((longer.directory / "run.json").read_text())["ended"]
    assert ended["how"] == "early"
    assert "train.privacy.epsilon=6 is spent: stopped after step 2 of 6" in ended["why"]
