"""What a new attempt would replace is moved, not deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.runs.aside import set_aside
from posttrain.runs.durable import whole_folder


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(folder: Path) -> set[str]:
    return {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}


def test_only_what_is_later_is_set_aside(tmp_path: Path) -> None:
    steps = [f"samples/step-00000{n}.jsonl" for n in (1, 2, 3)]
    checkpoints = [f"checkpoints/checkpoint-{n}/state.json" for n in (2, 3)]
    run = write(tmp_path / "run", *steps, *checkpoints, "final/model", "rounds/a.jsonl", "artefacts/best.json")
    (run / "metrics.jsonl").write_text('{"step": 2}\n{"step": 3}\n')
    aside = set_aside(run, 4, after=2)
    assert aside == run / "replaced" / "attempt_4"
    assert names(aside) == {steps[2], checkpoints[1], "final/model", "artefacts/best.json", "metrics.jsonl"}
    left = {*steps[:2], checkpoints[0], "rounds/a.jsonl", "artefacts/best.json", "metrics.jsonl"}
    assert {n for n in names(run) if not n.startswith("replaced/")} == left


@pytest.mark.parametrize("metrics", ["", '{"step": 2}\n'])
def test_nothing_later_leaves_no_folder(metrics: str, tmp_path: Path) -> None:
    run = write(tmp_path / "run", "samples/step-000002.jsonl", "kept.jsonl")
    (run / "metrics.jsonl").write_text(metrics)
    assert set_aside(run, 1, after=2) is None
    assert not (run / "replaced").exists()


def replace(target: Path, *new: str, error: OSError | None = None) -> None:
    with whole_folder(target) as partial:
        write(partial, *new)
        if error is not None:
            raise error


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    target = write(tmp_path / "final", "old")
    with pytest.raises(OSError, match="full"):
        replace(target, "new", error=OSError("full"))
    assert names(tmp_path) == {"final/old"}
    replace(target, "new")
    assert names(tmp_path) == {"final/new"}
    write(tmp_path, ".final.partial/torn")  # a kill left it
    replace(target, "newer")
    assert names(tmp_path) == {"final/newer"}
