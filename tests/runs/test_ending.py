"""How a run ends: with a checkpoint of its end, that extends it, and with words about it in run.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits

from posttrain.errors import StorageError
from posttrain.launch.run import Result
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.ending import FinishedError, is_finished, read_ending, read_facts
from posttrain.viewer.display import Display

CONTENT: dict[str, Any] = {
    "model": "tiny",
    "method": "imitation/sft",
    "data": "arithmetic:chat=false,size=8",
    "train": {"steps": 2, "prompts_per_step": 4, "learning_rate": 1e-3},
    "name": "run",
}


class Notes(Display):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def files(folder: Path) -> dict[str, int]:
    return {str(f): f.stat().st_mtime_ns for f in folder.rglob("*") if f.is_file() and f.name != ".lock"}


def longer(steps: int, **train: Any) -> dict[str, Any]:
    return {**CONTENT, "train": {**CONTENT["train"], "steps": steps, **train}}


@pytest.fixture(scope="module")
def whole(memory: Path) -> Result:
    return run(longer(4), memory / "whole")


@pytest.mark.fault("V7")
def test_a_finished_run_can_be_extended_and_is_else_left_alone(memory: Path, whole: Result) -> None:
    first = run(CONTENT, memory / "short")
    assert [f.name for f in (first.directory / "checkpoints").iterdir()] == ["checkpoint-2"]
    assert read_ending(first.directory) == {"how": "finished", "steps": 2, "evaluations": [], "measured": {}}
    before = files(first.directory)
    for content in (CONTENT, longer(2, learning_rate=1.0), longer(1)):
        notes = Notes()
        again = run(content, memory / "short", resume=True, display=notes)
        assert "is finished after 2 steps: nothing was changed; to train it further raise" in notes.notes[-1]
        assert (again.model, again.metrics["loss"]) == (first.model, first.metrics["loss"])
        assert files(first.directory) == before
    back = run(CONTENT, memory / "short", resume="2")  # a step that is named is nothing else to do either
    assert files(first.directory) == before
    assert back.model == first.model
    extended = run(longer(4), memory / "short", resume=True)
    assert metrics(extended) == metrics(whole)
    assert same_bits(extended, whole)


def test_the_model_is_saved_although_the_disk_is_full_for_the_checkpoint(
    memory: Path, whole: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(Checkpoints, "_publish", full)
    notes = Notes()
    made = run(longer(4), memory / "full", display=notes)
    assert same_bits(made, whole)
    assert notes.notes[-1] == "no checkpoint of the end, so this run cannot be extended: the disk is full"
    assert is_finished(made.directory)


def test_a_run_that_asks_for_no_checkpoints_saves_none(memory: Path) -> None:
    made = run(longer(1, save_minutes=0), memory / "none")
    assert not (made.directory / "checkpoints").exists()


def test_a_run_out_of_time_says_so_and_is_not_finished(memory: Path) -> None:
    notes = Notes()
    made = run(longer(9, max_seconds=1e-9), memory / "time", display=notes)
    why = "train.max_seconds=1e-09 is over: stopped after step 0 of 9"
    assert why in notes.notes
    assert read_ending(made.directory)["how"] == "early"
    assert read_ending(made.directory)["why"] == why


def test_an_error_says_what_is_saved(memory: Path) -> None:
    with pytest.raises(Interrupt) as caught:
        run(longer(4, save_every=1), memory / "cut", display=PowerCut(2))
    assert caught.value.__notes__ == ["checkpoint-1 is saved: continue with --resume"]
    assert read_ending(memory / "cut" / "run") == {"how": "failed", "steps": 2, "why": ""}
    with pytest.raises(Interrupt) as caught:
        run(longer(4), memory / "cut early", display=PowerCut(1))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("content", ["", "[]", '{"ended": 3}', "{"])
def test_a_damaged_description_says_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    assert read_ending(tmp_path) == read_ending(tmp_path / "nowhere") == {}
    assert not is_finished(tmp_path)


def test_facts_are_those_of_the_last_attempt(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"attempt": 2}))
    assert read_facts(tmp_path) == {"attempt": 2}
    assert FinishedError(tmp_path).exit_code == 0
