"""Whole runs on several processes: the models of one process, also after any of the processes was killed."""

from __future__ import annotations

import json

import pytest
import torch

from posttrain.backends.fsdp import group as groups
from posttrain.errors import WorkerError
from posttrain.machine import kill_points
from posttrain.runs import saver
from posttrain.training import trainer
from tests.backends.fsdp import pool
from tests.backends.fsdp.nursery import child
from tests.harness.runs import SAVED_EVERY_STEP, metrics, run, same_bits, weights

RUN = {**SAVED_EVERY_STEP, "model": {"path": "tiny", "dtype": "float64"}}
TWO = "backend={path: fsdp, processes: 2}"
SHARDED = "backend={path: fsdp, processes: 2, sharded_checkpoints: true}"


@pytest.fixture(autouse=True)
def forked(monkeypatch, float64):
    pool.close()
    monkeypatch.setattr(groups, "_child", child)


@pytest.fixture
def one(tmp_path):
    return run(RUN, tmp_path / "one")


def apart(a, b) -> float:
    one, two = weights(a.model), weights(b.model)
    assert one.keys() == two.keys()
    return max(float((one[n] - two[n]).abs().max()) for n in one)


@pytest.mark.paper("000:[24]")
def test_a_run_on_two_processes_is_that_of_one(one, tmp_path):
    two = run(RUN, tmp_path, TWO, "backend.timeline=true")
    assert apart(one, two) < 1e-10
    for row, other in zip(metrics(one), metrics(two), strict=True):
        assert other == pytest.approx(row, rel=1e-9)
    assert (two.directory / "rank-1.log").exists()
    first, second = ((two.directory / "timeline" / f"rank-{n}.json").read_text() for n in range(2))
    events = json.loads((first + second).rstrip(",\n") + "]")
    names = {n: [e["name"] for e in events if e["pid"] == n and e["ph"] == "X"] for n in range(2)}
    assert names[0].count("add") == names[1].count("add") == 4
    assert "training" in names[0]


@pytest.mark.parametrize(
    ("first", "then", "sharded"), [(1, 2, False), (2, 1, False), (2, 2, True), (2, 3, True), (2, 0, False)]
)
def test_a_run_goes_on_with_another_number_of_processes(one, first, then, sharded, tmp_path):
    several = "backend={{path: fsdp, processes: {}, sharded_checkpoints: {}}}"
    begun = run(RUN, tmp_path, several.format(first, sharded), "train.steps=2")
    files = {f.name for f in (begun.directory / "latest").rglob("*.safetensors")}
    assert len([f for f in files if f.startswith("shard-")]) == (first if sharded else 0)
    assert ("model.safetensors" in files) == (not sharded)
    ended = run(RUN, tmp_path, several.format(then, sharded) if then else "backend=local", resume=True)
    assert apart(one, ended) < 1e-10


@pytest.fixture(scope="module")
def wholes():
    return {}


@pytest.mark.fault("W3")
@pytest.mark.parametrize("point", ["derive:2", "backward:3", "optimiser:3", "snapshot:3"])
def test_a_run_goes_on_after_a_process_was_killed(point, tmp_path, monkeypatch, wholes, tmp_path_factory):
    """In the computation, in a step, and between the copy of a sharded checkpoint and its files."""
    two = SHARDED if point.startswith("snapshot") else TWO
    if "whole" not in wholes:
        wholes["whole"] = run(RUN, tmp_path_factory.mktemp("whole"), TWO)
    living: list = []
    phase, step = point.split(":")

    def kill(name: str, *_: object) -> None:
        if name == phase and kill_points._step == int(step):
            living[0].process.kill()

    def noted(*arguments):
        living.append(child(*arguments))
        return living[-1]

    with monkeypatch.context() as patch:
        patch.setattr(groups, "_child", noted)
        patch.setattr(trainer, "maybe_kill", kill)
        patch.setattr(saver, "maybe_kill", kill)
        with pytest.raises(WorkerError, match="process 1 of backend: fsdp ended by signal 9"):
            run(RUN, tmp_path / "cut", two)
    assert same_bits(wholes["whole"], run(RUN, tmp_path / "cut", two, resume=True))


def test_only_a_run_that_asks_for_it_imports_the_backend(tmp_path):
    import subprocess
    import sys

    code = "import sys, posttrain.launch.run; sys.exit('posttrain.backends.fsdp' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert torch.distributed.is_available()
