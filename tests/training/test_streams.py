"""Runs on data that are never in memory as a whole: resumed to the bit, and refused where all must be known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError, DataError
from posttrain.launch.checks import check_before_loading
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits

METHODS: dict[str, dict[str, Any]] = {
    "imitation/sft": {},
    "online/grpo": {"rewards": ["exact_match"], "sampling": {"max_tokens": 2, "samples": 2}},
}


def content(folder: Path, method: str = "imitation/sft", count: int = 10, **more: Any) -> dict[str, Any]:
    """Seven steps of two records, from windows of four; the row in the third place is too long."""
    rows = [
        {"prompt": f"{i}+1=" * (99 if i == 2 else 1), "completion": str(i + 1), "answer": str(i + 1)}
        for i in range(count)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return {
        "model": "tiny",
        "method": method,
        "data": {"path": str(folder / "rows.jsonl"), "stream": True, "window": 4, "truncate": "drop"},
        "train": {"steps": 7, "prompts_per_step": 2, "learning_rate": 1e-3, "save_every": 5, "max_length": 64},
        "name": "run",
        **METHODS.get(method, {}),
        **more,
    }


@pytest.mark.parametrize(("method", "cut"), [("imitation/sft", 6), ("online/grpo", 5)])
def test_a_resumed_run_gives_the_bits_of_an_uninterrupted_one(method: str, cut: int, tmp_path: Path) -> None:
    source = content(tmp_path, method)
    whole = run(source, tmp_path / "a")
    with pytest.raises(Interrupt):
        run(source, tmp_path / "b", display=PowerCut(cut))
    resumed = run(source, tmp_path / "b", resume=True)
    assert same_bits(whole, resumed)
    assert metrics(whole) == metrics(resumed)
    assert metrics(whole)[-1]["epoch"] == 1.0
    assert json.dumps(json.loads((whole.directory / "run.json").read_text())["dropped"]).count("rows.jsonl:3") == 1


def test_a_row_that_cannot_be_used_stops_the_run_when_it_is_reached(tmp_path: Path) -> None:
    source = content(tmp_path)
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write('{"prompt": "1"}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl:11.*completion"):
        run(source, tmp_path / "runs")


def test_a_number_that_only_some_windows_have_is_an_error(tmp_path: Path) -> None:
    source = content(tmp_path)
    rows = [json.dumps({"prompt": f"{i}", "completion": "1"} | ({"reward": 1.0} if i < 4 else {})) for i in range(8)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    source["method"] = "offline/dro"
    with pytest.raises(DataError, match="'reward'"):
        run(source, tmp_path / "runs")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"train": {"epochs": 2}}, r"set train\.steps"),
        ({"procedure": "star", "method": None}, "reads all records"),
        ({"train": {"steps": 2, "async_steps": 1}}, r"train\.async_steps=0"),
        ({"evaluate": {"data": {"path": "a.jsonl", "stream": True}}}, "held-out data are measured as a whole"),
        ({"data": {"path": ["a.jsonl", "b.jsonl"], "stream": True}}, "several sources cannot be streamed"),
        ({"data": {"path": "a.jsonl", "stream": True, "order": "level"}}, "sort the file"),
        ({"data": {"path": "a.jsonl", "window": 3}}, "add stream: true"),
    ],
)
def test_what_needs_all_records_refuses_a_stream(more: dict[str, Any], message: str, tmp_path: Path) -> None:
    described = {k: v for k, v in content(tmp_path, **more).items() if v is not None}
    with pytest.raises(ConfigError, match=message):
        check_before_loading(load(described))


def test_a_window_holds_a_batch(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.window=4 must be at least train\.prompts_per_step=5"):
        run(content(tmp_path), tmp_path / "runs", "train.prompts_per_step=5")


def test_a_list_in_json_is_not_streamed(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text("[]")
    with pytest.raises(DataError, match=r"write one object per line \(\.jsonl\)"):
        run(content(tmp_path), tmp_path / "runs", f"data.path={tmp_path}/rows.json")
