"""Whole runs on another device: what they measure and train is what they do on the processor, resumed or not."""

import json
import sys

import pytest
from benchmarks import one_gpu

from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits, weights
from tests.training.test_runs import BRIEF, kind  # noqa: F401 -- a fixture

LOOSE = 1e-6


def exactly(content):
    """In float64, so that different sums stay as near as they are."""
    model = content["model"] if isinstance(content["model"], dict) else {"path": content["model"]}
    return content | {"model": model | {"dtype": "float64"}}


@pytest.mark.parametrize("kind", ["grpo", "lora", "lora_nash_md", "shared_critic", "instructgpt"], indirect=True)
def test_runs(kind, tmp_path, used):  # noqa: F811
    content, results = exactly(kind), {}
    for there in (False, True):
        used(there)
        results[there] = run(content, tmp_path / str(there), *BRIEF)
    for here, there in zip(*map(metrics, results.values()), strict=True):
        assert there == pytest.approx(here, rel=LOOSE, abs=LOOSE)
    here, there = (weights(result.model) for result in results.values())
    for name, x in here.items():
        assert there[name].sub(x).abs().max() < LOOSE


@pytest.mark.parametrize("kind", ["lora"], indirect=True)
def test_a_run_goes_on_with_its_bits(kind, tmp_path, used):  # noqa: F811
    used(True)
    whole = run(kind, tmp_path / "whole", *BRIEF)
    with pytest.raises(Interrupt):
        run(kind, tmp_path / "cut", *BRIEF, display=PowerCut(3))
    assert same_bits(run(kind, tmp_path / "cut", *BRIEF, resume=True), whole)


@pytest.mark.parametrize("kind", ["grpo", "dpo"], indirect=True)
def test_micro_batches_and_bf16(kind, tmp_path, used):  # noqa: F811
    used(True)
    rows = metrics(
        run(kind | {"model": {"path": "tiny", "dtype": "bfloat16"}}, tmp_path, *BRIEF, "train.tokens_per_device=64")
    )
    assert len(rows) == 4
    assert all(row["grad_norm"] > 0 for row in rows)


def test_the_benchmark_of_a_gpu(device, capsys, monkeypatch):
    options = ["--device", str(device), "--size", "tiny", "--length", "16", "--repeats", "2"]
    monkeypatch.setattr(sys, "argv", ["one_gpu.py", *options])
    one_gpu.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("RESULT ")]
    results = [json.loads(line.removeprefix("RESULT ")) for line in lines]
    assert [result["measured"] for result in results] == ["rl", "sft", "decode"]
    assert all(result["ours"] > 0 for result in results)
