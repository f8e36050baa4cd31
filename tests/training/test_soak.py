"""The long run in short: what a process holds does not grow with the number of steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.soak import Reading, growth

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_hundred_steps_leave_nothing_behind() -> None:
    """With checkpoints, samples and reward workers, in a process of its own.

    Readings of steps 12 to 20 and 92 to 100 are compared: no checkpoint is being written then.
    """
    command = [sys.executable, str(ROOT / "benchmarks" / "soak.py"), "--steps", "100", "--every", "2"]
    done = subprocess.run([*command, "--save-every", "25"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1].removeprefix("RESULT "))
    assert result["growth"]["memory"] < 0.02  # the copies of weights and optimiser that the first checkpoint keeps
    assert {n: x for n, x in result["growth"].items() if n != "memory"} == dict.fromkeys(
        ("descriptors", "threads", "processes"), 0
    )
    assert result["after_the_run"]["processes"] == 0


def test_growth_is_seen() -> None:
    steady = [Reading(i, 100, 10, 3, 2) for i in range(30)]
    assert growth(steady) == {"memory": 0, "descriptors": 0, "threads": 0, "processes": 0}
    leaking = [Reading(i, 100 + i, 10 + i, 3, 2) for i in range(30)]
    assert growth(leaking)["memory"] == pytest.approx(128 / 104 - 1)
    assert growth(leaking)["descriptors"] == 24
