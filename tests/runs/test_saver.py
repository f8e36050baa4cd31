"""Saving in the background of training: each save holds the moment of its copy, one at a time, and no error is lost."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.harness.runs import SAVED_EVERY_STEP as CONTENT
from tests.harness.runs import metrics, run, same_bits, weights

from posttrain.errors import StorageError
from posttrain.runs import saver as saver_module
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.saver import NICE, STATE, Saver
from posttrain.runs.state import read_state, write_state
from posttrain.viewer.display import Display


def nothing(folder: Path) -> dict[str, Any]:
    """A model without files."""
    return {}


class Gate:
    """Hold the writing thread before the state is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        monkeypatch.setattr(saver_module, "write_state", self._write)

    def _write(self, *given: Any) -> Any:
        self.reached.set()
        assert self.open.wait(60)
        return write_state(*given)


@pytest.mark.paper("000:[27]")
def test_the_run_goes_on_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, saver = Gate(monkeypatch), Saver(Checkpoints(tmp_path))
    saver.save(1, lambda: ({"x": 1}, nothing))
    assert gate.reached.wait(60)
    saver.check()  # does not wait
    assert saver.checkpoints.newest() is None
    gate.open.set()
    saver.wait()
    newest = saver.checkpoints.newest()
    assert newest is not None
    assert read_state(newest, STATE) == {"x": 1}


@pytest.mark.fault("C10")
def test_the_next_copy_is_made_when_the_one_before_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, saver, taken = Gate(monkeypatch), Saver(Checkpoints(tmp_path)), []

    def take(step: int) -> Callable[[], Any]:
        def copy() -> Any:
            taken.append((step, saver.checkpoints.newest()))
            return {"step": step}, nothing

        return copy

    saver.save(1, take(1))
    assert gate.reached.wait(60)
    threading.Timer(0.2, gate.open.set).start()
    saver.save(2, take(2))
    assert taken == [(1, None), (2, tmp_path / "checkpoints" / "checkpoint-1")]
    saver.wait()
    assert threading.active_count() == 1 or not [t for t in threading.enumerate() if "checkpoint" in t.name]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own")
def test_training_comes_first(tmp_path: Path) -> None:
    nice: list[int] = []

    def note(folder: Path) -> dict[str, Any]:
        nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return {}

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    saver = Saver(Checkpoints(tmp_path))
    saver.save(1, lambda: ({}, note))
    saver.wait()
    assert nice == [min(19, before + NICE)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def broken(folder: Path) -> dict[str, Any]:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("when", ["check", "wait", "save"])
def test_what_went_wrong_is_raised_once_and_then_it_can_be_tried_again(when: str, tmp_path: Path) -> None:
    saver = Saver(Checkpoints(tmp_path))
    saver.save(1, lambda: ({}, broken))
    assert saver._thread is not None
    saver._thread.join()
    work: dict[str, Callable[[], None]] = {
        "check": saver.check,
        "wait": saver.wait,
        "save": lambda: saver.save(2, lambda: ({}, nothing)),
    }
    with pytest.raises(StorageError, match="checkpoint-1: not saved.*No space left") as caught:
        work[when]()
    assert isinstance(caught.value.__cause__, OSError)
    saver.save(3, lambda: ({}, nothing))
    saver.wait()
    assert saver.checkpoints.newest() == tmp_path / "checkpoints" / "checkpoint-3"


def test_a_run_that_ends_for_another_reason_says_that_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saver = Saver(Checkpoints(tmp_path))
    saver.save(1, lambda: ({}, broken))
    saver.settle()
    assert "checkpoint-1: not saved (No space left on device)" in caplog.text


# ---- whole runs


def test_the_weights_of_the_policy_stand_in_the_checkpoint_once(tmp_path: Path) -> None:
    folder = run(CONTENT, tmp_path).directory / "latest"
    assert not [name for name in load_file(folder / f"{STATE}.safetensors") if "/models/policy/" in name]
    saved = read_state(folder, STATE)["trainer"]["backend"]["models"]["policy"]
    for name, weight in load_file(folder / "model.safetensors").items():
        assert torch.equal(saved[f"trunk.{name}"], weight)


class Full:
    """A disk that is full from some step on, below the model's writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        def write(folder: Path, *given: Any) -> Any:
            if f"checkpoint-{step}." in folder.name:
                (folder / "half").write_bytes(b"half")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write_state(folder, *given)

        monkeypatch.setattr(saver_module, "write_state", write)


@pytest.mark.fault("C1")
def test_a_full_disk_stops_the_run_at_the_next_step_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(CONTENT, tmp_path / "whole")
    with monkeypatch.context() as patch:
        Full(patch, 2)
        with pytest.raises(StorageError, match=r"checkpoint-2: not saved.*No space left") as caught:
            run(CONTENT, tmp_path / "full")
    assert caught.value.exit_code == 8
    folder = tmp_path / "full" / "run" / "checkpoints"
    assert "checkpoint-1" in os.listdir(folder)
    assert not [name for name in os.listdir(folder) if "partial" in name or name == "checkpoint-2"]
    resumed = run(CONTENT, tmp_path / "full", resume=True)
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


@pytest.mark.fault("C1")
def test_a_full_disk_after_the_last_step_costs_a_checkpoint_and_not_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Display, "note", lambda _, text: said.append(text))
    whole = run(CONTENT, tmp_path / "whole")
    with monkeypatch.context() as patch:
        Full(patch, 4)
        made = run(CONTENT, tmp_path / "full")
    assert same_bits(made, whole)
    assert "checkpoint-4: not saved (No space left on device); earlier checkpoints are intact" in said[0]
    assert "no checkpoint of the end" in said[1]
    assert "checkpoint-3" in os.listdir(made.directory / "checkpoints")


@pytest.mark.fault("C1")
def test_a_disk_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on file size stands in for a full disk: safetensors fails in the middle of a file."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run({**CONTENT, "train": {**CONTENT["train"], "steps": 1}}, tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[0][1]))
        with pytest.raises(StorageError, match="checkpoint-2: not saved"):
            run(CONTENT, tmp_path, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[0])
        signal.signal(signal.SIGXFSZ, before[1])
    assert os.listdir(tmp_path / "run" / "checkpoints") == ["checkpoint-1"]
    assert Checkpoints(tmp_path / "run", run=identity(tmp_path / "run")).newest() is not None


def identity(run_dir: Path) -> str:
    import json

    return str(json.loads((run_dir / "run.json").read_text())["id"])


class Late(Display):
    """Hold back the writing until step 6."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def step(self, step: int, metrics: Any) -> None:  # noqa: ARG002
        if step == 6:
            self.gate.open.set()


@pytest.mark.paper("000:[27]")
@pytest.mark.fault("C9")
def test_what_is_written_three_steps_late_is_what_was_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {**CONTENT, "method": "online/ppo", "rewards": ["exact_match"], "sampling": {"max_tokens": 2}}
    train = {**CONTENT["train"], "save_every": 3}
    at_once = run({**content, "train": {**train, "steps": 3}}, tmp_path / "at once").directory
    gate = Gate(monkeypatch)
    late = run({**content, "train": {**train, "steps": 6}}, tmp_path / "late", display=Late(gate)).directory
    assert gate.reached.is_set()
    one, two = (r / "checkpoints" / "checkpoint-3" for r in (at_once, late))
    assert equal(read_state(one, STATE)["trainer"], read_state(two, STATE)["trainer"])
    assert all(torch.equal(x, weights(two)[n]) for n, x in weights(one).items())


def equal(one: Any, two: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(equal(one[k], two[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(equal, one, two))
    return bool(one == two)


@pytest.mark.fault("C10")
def test_only_the_newest_stays_and_a_delete_that_fails_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = shutil.rmtree

    def stuck(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors and "checkpoint-1." in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        real(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", stuck)
    made = run({**CONTENT, "train": {**CONTENT["train"], "steps": 2, "keep": 1}}, tmp_path)
    assert "checkpoint-1: not removed (Permission denied)" in caplog.text
    assert [f.name for f in (made.directory / "checkpoints").iterdir() if f.name[0] != "."] == ["checkpoint-2"]


def test_some_are_kept_for_good(tmp_path: Path) -> None:
    train = {**CONTENT["train"], "steps": 5, "keep": 1, "keep_every": 2}
    made = run({**CONTENT, "train": train}, tmp_path)
    assert sorted(os.listdir(made.directory / "checkpoints")) == ["checkpoint-2", "checkpoint-4", "checkpoint-5"]
