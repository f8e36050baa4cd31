"""A run that is measured on suites, and what its run file demands of the model: both ways, and of a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.cli import main as cli
from posttrain.config.load import load
from posttrain.errors import ConfigError, GateError
from posttrain.launch.checks import check_before_loading
from tests.harness.runs import metrics, run
from tests.training.test_suites import MINE

CONTENT = {
    "model": "tiny",
    "method": "imitation/sft",
    "data": "arithmetic:chat=false,size=4",
    "train": {"steps": 2, "prompts_per_step": 2, "learning_rate": 1e-3, "save_minutes": 0},
    "name": "run",
}


@pytest.fixture
def content(tmp_path: Path):
    (tmp_path / "mine.py").write_text(MINE)
    suites = [str(tmp_path / "mine.py"), {"path": str(tmp_path / "mine.py"), "name": "two", "size": 2}]
    return {**CONTENT, "evaluate": {"suites": suites, "every": 1, "best": "two.letters"}}


def test_a_run_is_measured_on_several_suites_and_passes_or_fails_their_gates(content, tmp_path: Path):
    content["gates"] = {"mine.letters": ">= 0", "loss": "> 0"}
    with pytest.raises(GateError, match="FAILED: loss was not measured, demanded > 0") as failed:
        run(content, tmp_path)
    done = failed.value.result
    assert list(done.evaluations) == ["before", "step 1", "step 2", "after"]
    assert {"eval/mine.letters", "eval/two.letters"} <= metrics(done)[-1].keys()
    assert "gate     passed: mine.letters" in repr(done)
    card = (done.model / "README.md").read_text()
    assert "- passed: mine.letters is" in card
    assert "- FAILED: loss was not measured" in card
    assert "mine.letters " in card
    kept = (done.directory / "evaluations" / "step-1-two.jsonl").read_text().splitlines()
    assert [json.loads(row)["prompt_id"] for row in kept[1:]] == [0, 1]
    again = run(content, tmp_path, "gates={mine.letters: '>= 0'}", resume=True)  # nothing is trained or measured again
    assert [g.passed for g in again.gates] == [True]
    (tmp_path / "run.json").write_text(json.dumps({**content, "output": str(tmp_path)}))
    with pytest.raises(SystemExit) as code:
        cli.main(["train", str(tmp_path / "run.json"), "--resume"])
    assert code.value.code == GateError.exit_code == 11


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"gates": {"mime.letters": ">= 0"}}, "no suite 'mime' is measured .did you mean 'mine'"),
        ({"gates": {"mine.leters": ">= 0"}}, "mine measures no 'leters' .did you mean 'letters'"),
        ({"gates": {"mine.letters": "= 0"}}, "gates.mine.letters"),
        ({"gates": {"reward": "> 0"}, "evaluate": None}, "add evaluate"),
        ({"evaluate": ["chain_of_thought", "chain_of_thought"]}, "two suites are called chain_of_thought"),
        ({"evaluate": {"suites": [{"path": "chain_of_thought", "sizes": 3}]}}, "chain_of_thought.sizes: unknown"),
        ({"evaluate": ["instrumental_goals"]}, r"instrumental_goals asks a judge.*add models: \{judge"),
    ],
)
def test_wrong_suites_and_gates_stop_before_a_model_is_loaded(content, change, error):
    with pytest.raises(ConfigError, match=error):
        check_before_loading(load({**content, **change}))


def test_a_gate_of_a_group_or_a_contrast_is_one_of_its_metric(content):
    check_before_loading(load({**content, "gates": {"mine.letters[level=1]": ">= 0", "mine.letters.effect": "< 1"}}))


def test_the_judge_of_a_suite_is_a_role_of_the_run(tmp_path: Path):
    """The tiny model writes no words, so that there is no verdict, and no number stands for it."""
    judge = ', max_tokens=2, judge=Judging(lambda item: ["?"], ("yes",)))'
    text = MINE.replace("import Suite, user", "import Judging, Suite, user").replace(", max_tokens=2)", judge)
    (tmp_path / "mine.py").write_text(text)
    content = {**CONTENT, "models": {"judge": "tiny"}, "evaluate": [str(tmp_path / "mine.py")]}
    result = run(content, tmp_path, "train.steps=1")
    assert result.evaluations["after"].suites["mine"].counters["no verdict"] == 1
