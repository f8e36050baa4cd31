"""Runs at the edge of what makes sense: equal rewards, one answer, one record, zeros, strange names, broken steps."""

from __future__ import annotations

import json
import logging
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ConfigError, DataError, NumericsError, StorageError
from posttrain.launch.run import open_session
from posttrain.launch.train import train
from posttrain.runs.metrics import is_timing, read_metrics
from posttrain.training.trainer import Trainer
from tests.harness.runs import SHORT, SUMS, metrics, run, same_bits, weights

BRIEF = [f"{k}={v}" for k, v in SHORT.items()]
GRPO = {"model": "tiny", "method": "online/grpo", "data": SUMS, "rewards": ["exact_match"], "train": {"steps": 2}}
SFT = {"model": "tiny", "method": "imitation/sft", "data": SUMS, "train": {"steps": 2}}


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return str(path)


# ---- numbers


@pytest.mark.fault("N4")
@pytest.mark.parametrize("method", ["online/grpo", "online/rloo"])
def test_equal_rewards_move_nothing_and_are_counted(method: str, tmp_path: Path) -> None:
    settings = {"data": SUMS, "output": str(tmp_path), "sampling": {"max_tokens": 4}}
    made = train(
        "tiny",
        {"path": method},
        rewards=[lambda completions: [0.25] * len(completions)],
        train={"steps": 2, "prompts_per_step": 2},
        **settings,
    )
    rows = list(read_metrics(made.directory / "metrics.jsonl"))
    assert [(r["frac_reward_zero_std"], r["grad_norm"]) for r in rows] == [(1.0, 0.0)] * 2
    with open_session(load(GRPO), write=False) as session:
        start = session.run.learner.models["policy"].state_dict()
    end = {n.split(":")[1]: x for n, x in weights(made.model).items()}
    assert all(torch.equal(x, start[f"trunk.{n}"]) for n, x in end.items())


@pytest.mark.fault("N5")
@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (GRPO, ["sampling.samples=2", "train.prompts_per_step=1"]),
        (GRPO | {"method": "online/ppo"}, ["train.prompts_per_step=1", "method.minibatches=1"]),
        (SFT, ["train.prompts_per_step=1"]),
    ],
    ids=lambda x: x["method"] if isinstance(x, dict) else "",
)
def test_one_prompt_is_a_batch(content: dict[str, Any], changes: list[str], tmp_path: Path) -> None:
    rows = metrics(run(content, tmp_path, *BRIEF, *changes))
    assert len(rows) == 2
    assert all(math.isfinite(x) for row in rows for x in row.values())


@pytest.mark.fault("N5")
def test_the_last_batch_of_an_epoch_holds_what_is_left(tmp_path: Path) -> None:
    data = written(tmp_path / "a.jsonl", [{"prompt": f"{i}+1=", "completion": f"{i + 1}"} for i in range(5)])
    made = run({**SFT, "data": data, "train": {"epochs": 2}}, tmp_path, *BRIEF, "train.prompts_per_step=3")
    rows = metrics(made)
    assert [r["epoch"] for r in rows] == [0.6, 1.0, 1.6, 2.0]
    assert [r["num_tokens"] for r in rows] == [18, 12, 18, 12]


@pytest.mark.fault("N9")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("train.learning_rate=0", "train.learning_rate is 0; expected more than 0"),
        ("sampling.temperature=0", "sampling.temperature is 0; expected more than 0"),
        ("sampling.top_p=0", "sampling.top_p is 0; expected more than 0"),
        ("train.max_grad_norm=0", "train.max_grad_norm is 0; expected more than 0"),
        ("train.steps=0", "train.steps is 0; expected more than 0"),
        ("train.prompts_per_step=0", "train.prompts_per_step is 0; expected more than 0"),
        ("sampling.samples=0", "sampling.samples is 0; expected more than 0"),
        ("sampling.max_tokens=0", "sampling.max_tokens is 0; expected more than 0"),
        ("scoring.timeout=0", "scoring.timeout is 0; expected more than 0"),
    ],
)
def test_zeros_that_mean_nothing_are_refused(change: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(GRPO, [change])


@pytest.mark.fault("N9")
def test_zeros_that_mean_something_train(tmp_path: Path) -> None:
    """No divergence: no reference. No clip range: the ratio may not move. No error rate: every reward must work."""
    zeros = ["method.kl.weight=0", "method.low=0", "method.high=0", "scoring.max_error_rate=0", "train.weight_decay=0"]
    rows = metrics(run(GRPO, tmp_path, *BRIEF, *zeros))
    assert all(math.isfinite(x) for row in rows for x in row.values())
    assert "kl" not in rows[0]


class Broken:
    """Makes the loss of some batches NaN, by the number of the batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
        self.left, original = list(numbers), Trainer.accumulate

        def accumulate(trainer: Trainer, *given: Any, **more: Any) -> Any:
            share = original(trainer, *given, **more)
            if trainer.batch_number in self.left:
                self.left.remove(trainer.batch_number)
                share.loss = math.nan
            return share

        monkeypatch.setattr(Trainer, "accumulate", accumulate)


@pytest.mark.fault("N1")
def test_a_broken_step_names_its_records_keeps_its_samples_and_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "a.jsonl", [{"prompt": f"{i}+1=", "answer": f"{i + 1}"} for i in range(8)])
    Broken(monkeypatch, 2)
    changes = ["train.steps=4", "train.save_every=1", "train.samples_every=100", "name=r", f"data={data}"]
    with pytest.raises(
        NumericsError, match=r"step 2: the loss of grpo is nan .*; it read .*a\.jsonl:\d, .*a\.jsonl:\d"
    ):
        run(GRPO, tmp_path, *BRIEF, *changes)
    assert sorted(p.name for p in (tmp_path / "r" / "samples").iterdir()) == ["step-000001.jsonl", "step-000003.jsonl"]
    assert len(list(read_metrics(tmp_path / "r" / "metrics.jsonl"))) == 2
    resumed = run(GRPO, tmp_path, *BRIEF, *changes, resume=True)  # what broke it has been mended
    assert same_bits(resumed, run(GRPO, tmp_path, *BRIEF, *changes, "name=whole"))


@pytest.mark.fault("N1", "N2")
def test_broken_steps_may_be_skipped_but_not_many_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Broken(monkeypatch, 1, 2, 4)
    rows = metrics(run(SFT, tmp_path, *BRIEF, "train.steps=6", "train.broken_steps=2"))
    assert [r.get("errors/broken_steps") for r in rows] == [None, 1.0, 2.0, None, 1.0, None]
    assert ["loss" in r for r in rows] == [True, False, False, True, False, True]
    Broken(monkeypatch, 1, 2, 3)
    with pytest.raises(NumericsError, match="step 3"):
        run(SFT, tmp_path, *BRIEF, "train.steps=6", "train.broken_steps=2")


# ---- data


@pytest.mark.fault("D13")
def test_questions_that_are_also_evaluated_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"prompt": f"{i}+1=", "answer": f"{i + 1}"} for i in range(4)]
    trained, asked = (
        written(tmp_path / "a.jsonl", rows),
        written(tmp_path / "b.jsonl", rows[2:] + [{"prompt": "x", "answer": "y"}]),
    )
    with caplog.at_level(logging.WARNING):
        run({**GRPO, "data": trained, "evaluate": {"data": asked}}, tmp_path, *BRIEF, "train.steps=1")
    assert f"2 of 3 evaluated questions are also trained on (data.main), the first at {asked}:1" in caplog.text


@pytest.mark.fault("D15")
def test_data_that_changed_since_the_checkpoint_is_refused(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}+1=", "completion": f"{i + 1}"} for i in range(6)]
    content = {**SFT, "data": written(tmp_path / "a.jsonl", rows)}
    run(content, tmp_path, *BRIEF, "name=r", "train.save_every=1")
    written(tmp_path / "a.jsonl", [*rows[:5], {"prompt": "5+1=", "completion": "7"}])
    with pytest.raises(DataError, match=r"a\.jsonl: the records have changed since the checkpoint"):
        run(content, tmp_path, *BRIEF, "name=r", "train.steps=3", resume=True)
    written(tmp_path / "a.jsonl", rows)
    assert len(metrics(run(content, tmp_path, *BRIEF, "name=r", "train.steps=3", resume=True))) == 3


STRANGE = [
    "../../etc/passwd",
    "a'\"; DROP TABLE x; --",
    "line\nbreak\ttab",
    "<script>alert(1)</script>",
    "\u202eltr\u200b",
    "",
]


@pytest.mark.fault("D16")
def test_strange_ids_and_columns_are_kept_as_they_are_and_lead_nowhere(tmp_path: Path) -> None:
    rows = [{"id": f"{s}#{i}", "prompt": f"{i}{s}=", "answer": s, s: s} for i, s in enumerate(STRANGE)]
    data = written(tmp_path / "a.jsonl", rows)
    before = set(tmp_path.rglob("*"))
    made = run({**GRPO, "data": data}, tmp_path / "runs", *BRIEF, "train.prompts_per_step=6", "train.steps=1")
    new = set(tmp_path.rglob("*")) - before
    assert all(p.is_relative_to(tmp_path / "runs") for p in new)
    assert not [p for p in new for s in STRANGE if s and s in str(p)]
    samples = (made.directory / "samples" / "step-000001.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["prompt"] for line in samples} == {r["prompt"] for r in rows}


# ---- files


@pytest.mark.fault("F6")
@pytest.mark.parametrize("name", ["two words", "名前-é", "line\nbreak", "quote'\"$(touch x)", "-dash", "n" * 200])
def test_output_may_have_any_name(name: str, tmp_path: Path) -> None:
    content = {**GRPO, "output": str(tmp_path / name), "train": {"steps": 1}}
    from posttrain.launch.run import launch

    made = launch(load(content, BRIEF))
    assert made.directory.is_relative_to(tmp_path / name)
    assert (made.model / "model.safetensors").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


# ---- the machine


@pytest.mark.fault("P8")
def test_a_clock_that_runs_backwards_gives_no_negative_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [2e9]

    def backwards() -> float:
        now[0] -= 3600.0
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    rows = list(read_metrics(run(GRPO, tmp_path, *BRIEF).directory / "metrics.jsonl"))
    timings = {k: v for row in rows for k, v in row.items() if is_timing(k)}
    assert "step_time" in timings
    assert all(v >= 0 for v in timings.values())


@pytest.mark.fault("P10")
def test_a_home_that_cannot_be_written_and_a_user_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(json.dumps(GRPO | {"train": {"steps": 1, "prompts_per_step": 2}}))
    nowhere = dict.fromkeys(("HOME", "HF_HOME", "XDG_CACHE_HOME"), "/proc/nowhere")  # not even root can write there
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "posttrain", "train", "run.yaml", "sampling.max_tokens=4"]
    whole = {**environment, **nowhere}
    done = subprocess.run(command, cwd=tmp_path, env=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "grpo-tiny-001" / "final" / "model.safetensors").is_file()


@pytest.mark.fault("P10", "F6")
def test_an_output_that_cannot_be_written_is_said() -> None:
    with pytest.raises(StorageError, match="^/proc/nowhere.* choose another output directory"):
        run(GRPO, Path("/proc/nowhere/runs"), *BRIEF)
