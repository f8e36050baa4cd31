"""`posttrain.train`: its keywords are the keys of a run file, and its objects stay the same over a resumed run."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

import posttrain
from posttrain.config.schema import RunFile
from posttrain.errors import ConfigError
from posttrain.launch import train as module
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.models.loading.tiny import tiny_model
from posttrain.viewer.plain import PlainDisplay
from tests.harness.runs import same_bits
from tests.rewards.faulty import brief  # of a module that a worker imports at once

ROWS = [{"prompt": f"{i}+1=", "answer": str(i + 1)} for i in range(6)]
PAIRS = [{"prompt": f"{i}=", "chosen": "7", "rejected": "a"} for i in range(6)]
BRIEF = {"sampling": {"max_tokens": 2, "samples": 2}}


def test_the_keywords_are_the_keys_of_a_run_file():
    own = {"tokenizer", "resume", "display", "others"}
    assert set(inspect.signature(posttrain.train).parameters) - own == set(RunFile.model_fields)


def test_a_key_that_there_is_not_is_an_error_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"did you mean 'train'\?"):
        posttrain.train("tiny", "online/grpo", ROWS, brief, trian={"steps": 1})


def test_rows_and_functions_train_resume_and_are_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(name, steps, **more):
        train = {"steps": steps, "prompts_per_step": 2, "save_every": 1}
        return posttrain.train("tiny", "grpo", ROWS, brief, train=train, name=name, output=tmp_path, **BRIEF, **more)

    whole = run("whole", 2)
    shown = capsys.readouterr().out
    assert "step 2/2  reward" in shown
    assert "reward brief: brief" in shown
    assert (whole.directory / "rewards.log").read_text().startswith("---- step 1, reward brief\nbrief\n")
    assert f"model    {whole.model}" in repr(whole)
    run("half", 1, display=None)
    resumed = run("half", 2, resume=True, display=None)
    assert capsys.readouterr().out == ""
    assert same_bits(whole, resumed)
    facts = (whole.directory / "config.yaml").read_text()
    assert "path: given:6-rows-" in facts
    assert "path: given:brief-" in facts


def test_a_loaded_model_and_a_method_of_ones_own(tmp_path: Path) -> None:
    network, tokenizer = tiny_model()
    before = {n: w.clone() for n, w in network.trunk.state_dict().items()}
    made = posttrain.train(
        network.trunk, posttrain.variant(DPO, name="mine"), {"path": PAIRS, "size": 4}, tokenizer=tokenizer,
        train={"steps": 1, "prompts_per_step": 4, "learning_rate": 0.1}, output=str(tmp_path), display=None,
    )  # fmt: skip
    assert made.directory.name == "mine-LlamaForCausalLM-001"
    assert all((before[n] == w).all() for n, w in network.trunk.state_dict().items())  # a copy was trained
    assert made.metrics["loss"] == pytest.approx(0.6931, abs=1e-4)
    assert json.loads((made.directory / "metrics.jsonl").read_text().splitlines()[0])["loss"] == made.metrics["loss"]


def test_the_display_is_shown_unless_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(module, "launch", lambda run, resume, display: seen.append(display))
    own = PlainDisplay(None)  # type: ignore[arg-type]
    for display in ("auto", None, own):
        posttrain.train("tiny", "online/grpo", ROWS, brief, display=display)
    assert isinstance(seen[0], PlainDisplay)
    assert seen[1:] == [None, own]
