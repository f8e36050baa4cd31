"""Killed with SIGKILL at 20 moments in each of six kinds of runs, then resumed: the bits of a run that was not."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from posttrain.machine.kill_points import PHASES
from posttrain.runs.metrics import is_timing, read_metrics
from tests.harness.processes import ForkServer
from tests.training import talk

SUMS = "arithmetic:chat=false,size=12"
BRIEF: dict[str, Any] = {
    "model": "tiny",
    "sampling": {"max_tokens": 3, "slots": 64},
    "scoring": {"workers": 1},
    "train": {"steps": 4, "prompts_per_step": 3, "learning_rate": 1e-3, "save_every": 2, "samples_every": 1},
}
REWARD = """
def digits(completions):
    return [sum(c.isdigit() for c in text) / 3 for text in completions]
"""
KINDS: dict[str, dict[str, Any]] = {
    "sft": {"method": "imitation/sft", "data": SUMS},
    "dpo": {"method": "preference/dpo", "data": SUMS},
    "reward model": {"method": "reward/bradley_terry", "data": SUMS},
    "ppo": {"method": "online/ppo_adaptive_kl", "data": SUMS, "rewards": ["mine.py:digits"]},
    "grpo": {"method": "online/grpo", "data": SUMS, "rewards": ["mine.py:digits"]},
    "procedure": {
        "procedure": {"path": "iterative_dpo", "rounds": 2, "prompts_per_round": 6, "dpo": {"steps": 2}},
        "data": {"prompts": SUMS},
        "rewards": ["mine.py:digits"],
    },
}
EVERYWHERE = (
    "config:0 model:0 directory:0 dataset:0 data:1 data:4 derive:3 backward:1 optimiser:2 optimiser:3 trained:4 "
    "snapshot:2 save:2 saved:4 manifest:2 committed:4 published:2 export:4"
)
OFFLINE = f"{EVERYWHERE} prepare:0 metrics:3".split()
ONLINE = f"{EVERYWHERE} sampling:3 rewards:2".split()
ROUNDS = f"{EVERYWHERE} sampling:0 rewards:2".split()  # which sample before their first step and after their second
POINTS = {"sft": OFFLINE, "dpo": OFFLINE, "reward model": OFFLINE, "ppo": ONLINE, "grpo": ONLINE, "procedure": ROUNDS}


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def reward(memory: Path) -> None:
    (memory / "mine.py").write_text(REWARD)


def run_file(kind: str, memory: Path) -> dict[str, Any]:
    content = {**BRIEF, **KINDS[kind], "name": "run"}
    if "rewards" in content:
        content["rewards"] = [f"{memory}/mine.py:digits"]
    return content


def left(run: Path) -> dict[str, Any]:
    """What a run leaves that is the same for every machine: metrics, samples, rounds, the final model."""
    rows = [{k: v for k, v in row.items() if not is_timing(k)} for row in read_metrics(run / "metrics.jsonl")]
    folders = [run / name for name in ("samples", "rounds", "final")]
    files = [f for folder in folders for f in sorted(folder.rglob("*")) if f.is_file()]
    return {"metrics": rows, **{str(f.relative_to(run)): f.read_bytes() for f in files}}


def same(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what differs."""
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


@pytest.fixture(scope="module")
def whole(server: ForkServer, memory: Path) -> dict[str, dict[str, Any]]:
    """What each kind of run leaves when nobody kills it; filled when first asked for."""
    return {}


def uninterrupted(kind: str, server: ForkServer, memory: Path, whole: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if kind not in whole:
        folder = memory / "output"
        assert server.run(run_file(kind, memory), folder) == 0, (folder / "output.txt").read_text()
        whole[kind] = left(folder / "run")
        shutil.rmtree(folder)
    return whole[kind]


@pytest.mark.fault("P1", "P2")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_and_resumed_is_as_if_nothing_had_happened(
    kind: str, server: ForkServer, memory: Path, whole: dict[str, dict[str, Any]]
) -> None:
    wanted = uninterrupted(kind, server, memory, whole)
    assert len(POINTS[kind]) == len(set(POINTS[kind])) == 20
    for point in POINTS[kind]:
        folder = memory / "output"
        assert server.run(run_file(kind, memory), folder, fault=point) == -signal.SIGKILL, point
        assert server.run(run_file(kind, memory), folder, resume=True) == 0, (folder / "output.txt").read_text()
        assert same(left(folder / "run"), wanted) == [], point
        assert not list(folder.glob("run/checkpoints/.*")), point
        shutil.rmtree(folder)


@pytest.mark.fault("P1")
def test_killed_again_and_again(server: ForkServer, memory: Path, whole: dict[str, dict[str, Any]]) -> None:
    """Every attempt dies, some while they resume; the last one is left alone."""
    wanted = uninterrupted("ppo", server, memory, whole)
    folder, first = memory / "output", True
    for point in (
        "backward:2",
        "resume:0",
        "published:2",
        "resume:2",
        "prepare:0",
        "rewards:3",
        "saved:4",
        "exported:4",
    ):
        code = server.run(run_file("ppo", memory), folder, fault=point, resume=not first)
        assert code == -signal.SIGKILL, (point, (folder / "output.txt").read_text())
        first = False
    assert server.run(run_file("ppo", memory), folder, resume=True) == 0
    assert same(left(folder / "run"), wanted) == []


@pytest.mark.fault("P1")
def test_killed_in_the_middle_of_a_turn(server: ForkServer, memory: Path) -> None:
    """The step begins again: the same seeds, the same actions, and an environment that answers them as before."""
    steps = {**BRIEF["train"], "save_every": 1}
    content = {
        **BRIEF,
        "method": "online/grpo",
        "environment": {"path": f"{talk.__file__}:Talk", "workers": 1},
        "name": "run",
    }
    content |= {"data": {"path": "environment", "size": 6}, "train": steps}
    folder = memory / "turns"
    assert server.run(content, folder) == 0, (folder / "output.txt").read_text()
    wanted = left(folder / "run")
    shutil.rmtree(folder)
    assert server.run(content, folder, fault="turn:3") == -signal.SIGKILL
    assert server.run(content, folder, resume=True) == 0, (folder / "output.txt").read_text()
    assert same(left(folder / "run"), wanted) == []


def test_every_phase_is_one_of_the_moments() -> None:
    tried = {point.split(":")[0] for points in POINTS.values() for point in points}
    assert tried | {"resume", "exported", "turn", "search"} == set(PHASES)
