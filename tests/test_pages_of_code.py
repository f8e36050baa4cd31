"""docs/rewards.md and docs/python.md: their code runs, and their run files are run files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from posttrain.config.load import load
from posttrain.launch import train as module
from posttrain.launch.checks import check_before_loading
from posttrain.launch.result import Result
from posttrain.rewards.reward import resolve
from posttrain.training.named_rewards import named_rewards
from posttrain.training.shaped_rewards import shaping
from tests.rewards.test_scorer import rollouts, score

DOCS = Path(__file__).parent.parent / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for code in blocks("rewards.md", "python"):
        (tmp_path / code.partition("\n")[0].removeprefix("# ")).write_text(code)
    (tmp_path / "old_rewards.py").write_text("def reward(completions): ...")
    verl = "def compute_score(data_source, solution_str, ground_truth, extra_info=None): ..."
    (tmp_path / "verl_rewards.py").write_text(verl)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_rewards_of_the_page_score(folder: Path) -> None:
    first, _, second, shaped, third, *_ = (yaml.safe_load(text) for text in blocks("rewards.md", "yaml"))
    batch = rollouts(["42", "welcome, it is 42"], prompt="please", columns={"answer": "42"})
    assert score(first["rewards"][:3], batch)[0] == pytest.approx([1 + 0.5 * 0.95 + 1, 1 + 0.5 * 23 / 40 + 0])
    assert score(["./rewards.py:polite"], batch)[0] == [0.0, 1.0]
    assert score(second["rewards"], batch)[0] == pytest.approx([0.02 + 0 + 1, 0.17 + 1 + 1])
    assert [resolve(entry).reads.form for entry in third["rewards"]] == ["trl", "trl", "trl", "verl"]
    run = load({"model": "tiny", "method": "online/grpo", "data": "arithmetic", **shaped}, base=folder)
    first_of_all = "2 log_sigmoid(contrastive(polite, quantile=0.85)), 1 clip(brevity, low=0, high=1)"
    formula = f"running_whiten(gate({first_of_all}, by=polite, above=-0.7))"
    assert str(shaping(run, named_rewards(run))) == formula


@pytest.mark.parametrize("number", range(4))
def test_the_programs_of_the_page_are_runs(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def launch(run, **_more):
        check_before_loading(run)
        started.append(run)
        return Result(folder, None, {})

    monkeypatch.setattr(module, "launch", launch)
    program = compile(blocks("python.md", "python")[number], "python.md", "exec")
    exec(program, {})
    assert len(started) == 1
    assert load(started[0].model_dump()) is not None


def test_the_table_names_every_argument() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    for name in ("model", "method", "data", "rewards", "procedure", "models", "evaluate", "display", "resume"):
        assert f"| `{name}` |" in text
