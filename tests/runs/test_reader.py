"""Reading runs: finished, running, killed, empty, torn; and what is no run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.errors import StorageError
from posttrain.runs.lock import RunLock
from posttrain.runs.reader import RunReader, find_runs


def written(folder: Path, rows: int = 2, **facts: Any) -> Path:
    (folder / "samples").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "config.yaml").write_text("method: {path: online/grpo}\nseed: 3\n")
    lines = [json.dumps({"step": n, "reward": n / 10, "note": "x", "loss": None}) + "\n" for n in range(1, rows + 1)]
    (folder / "metrics.jsonl").write_text("".join(lines))
    (folder / "samples" / "step-000001.jsonl").write_text('{"step": 1, "completion": "old"}\n')
    (folder / "samples" / "step-000002.jsonl").write_text('{"step": 2, "completion": "a"}\n' * 3)
    return folder


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"ended": {"how": "finished", "steps": 2}}, "finished after 2 steps"),
        ({"ended": {"how": "early", "why": "train.max_seconds=1 is over"}}, "early at step 2: train.max_seconds=1"),
        ({"ended": {"how": "failed", "why": ""}}, "failed at step 2"),
        ({}, "ended without a word at step 2: its process was killed"),
    ],
)
def test_how_a_run_ended(facts: dict[str, Any], status: str, tmp_path: Path) -> None:
    assert RunReader.at(written(tmp_path / "run", **facts)).status.startswith(status)


def test_a_running_one_is_left_alone_and_its_torn_line_left_out(tmp_path: Path) -> None:
    folder = written(tmp_path / "run")
    lock = RunLock(folder / ".lock")
    lock.acquire()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "rew')
    before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    run = RunReader.at(folder)
    assert run.status.startswith("running, process ")
    assert run.status.endswith(", step 2")
    assert run.last == {"reward": 0.2}
    assert [row["completion"] for row in run.samples(2)] == ["a", "a"]
    assert run.samples(0) == []
    assert run.config["seed"] == 3
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before


def test_a_run_without_anything(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    (tmp_path / "config.yaml").write_text(": : :")
    run = RunReader.at(tmp_path)
    assert (run.rows, run.last, run.steps, run.config, run.evaluations, run.samples(3)) == ([], {}, 0, {}, [], [])
    assert "ended without a word" in run.status


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "run")
    (folder / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(StorageError, match=r"metrics\.jsonl:2: cannot be read; delete this line"):
        _ = RunReader.at(folder).rows


def test_a_folder_inside_a_run_stands_for_it_and_one_around_runs_for_all(tmp_path: Path) -> None:
    folders = [written(tmp_path / name) for name in ("a", "b")]
    (folders[0] / "final").mkdir()
    (folders[0] / "checkpoints" / "checkpoint-2").mkdir(parents=True)
    for inner in ("final", "checkpoints/checkpoint-2", "."):
        assert RunReader.at(folders[0] / inner).folder.resolve() == folders[0]
    assert [run.name for run in find_runs([tmp_path])] == ["a", "b"]
    assert [run.name for run in find_runs([folders[1], folders[0]])] == ["b", "a"]
    with pytest.raises(StorageError, match=r"no such folder \(did you mean 'a'\?\)"):
        find_runs([tmp_path / "aa"])
    (tmp_path / "else" / "x" / "y").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"neither a run nor a folder of runs \(run.json is missing\)"):
        find_runs([tmp_path / "else" / "x" / "y"])
