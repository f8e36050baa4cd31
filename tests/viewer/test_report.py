"""Reports on runs: what is in their files, side by side, and nothing raw."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from posttrain.runs.reader import RunReader
from posttrain.viewer.report import compared, report


def written(folder: Path, *, seed: int = 0, rows: int = 5, **facts: Any) -> RunReader:
    (folder / "samples").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts))
    config = {"name": folder.name, "seed": seed, "method": {"path": "online/grpo"}, "model": {"path": "tiny"}}
    (folder / "config.yaml").write_text(json.dumps(config | {"train": {"steps": 9}}))
    lines = [
        {"step": n, "reward": n / 10, "loss": 1e-9, "step_time": 2.0, "time/sampling": 1.0} for n in range(1, rows + 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    row = {"step": 5, "prompt": [{"role": "user", "content": "1+1?"}], "completion": "2\x1b[2J", "reward": 1.0}
    (folder / "samples" / "step-000005.jsonl").write_text(json.dumps(row) + "\n")
    return RunReader(folder)


def drawn(blocks: Iterable[RenderableType]) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    for block in blocks:
        console.print(block)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[2J" not in text
    return text


def test_one_run(tmp_path: Path) -> None:
    ended = {"how": "early", "why": "train.max_seconds=9 is over", "evaluations": ["- before: mean reward 0.1"]}
    text = drawn(report(written(tmp_path / "a", ended=ended), 100, samples=1))
    for part in (
        "a  online/grpo  tiny", "step 5/9", "0:10", "0.5", "status      early at step 5: train.max_seconds=9 is over",
        "evaluation  before: mean reward 0.1", "user: 1+1?", "2\\x1b[2J", "reward 1", "loss",
    ):  # fmt: skip
        assert part in text, part
    assert "step_time" not in text


def test_a_loss_that_says_nothing_has_no_curve(tmp_path: Path) -> None:
    run = written(tmp_path / "a", metrics={"without_meaning": ["loss"]})
    text = drawn(report(run, 100))
    assert "loss" not in text
    assert "reward" in text
    table = [line.split() for line in drawn(compared([run, written(tmp_path / "b")])).splitlines()]
    assert ["loss", "-", "1e-09"] in table


def test_several_runs_side_by_side(tmp_path: Path) -> None:
    runs = [written(tmp_path / "a"), written(tmp_path / "b", seed=1, rows=3), written(tmp_path / "c", rows=0)]
    text = drawn(compared(runs, samples=1))
    table = [line.split() for line in text.splitlines()]
    assert ["seed", "0", "1", "0"] in table
    assert ["reward", "0.5", "0.3", "-"] in table
    assert [*"a reward 0.1 0.5 0.5".split()] in [line[:5] for line in table]
    assert "name" not in [line[0] for line in table if line]
    assert "answers of" in text
    assert "all the same" in drawn(compared([runs[0], runs[2]]))


def test_a_run_without_metrics_says_so(tmp_path: Path) -> None:
    assert "no metrics yet" in drawn(report(written(tmp_path / "a", rows=0), 100))
