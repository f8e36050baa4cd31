"""Forks: functions of a script run in killable processes too, with the globals of that moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import torch

from tests.rewards.test_scorer import rollouts, score
from tests.rewards.workers.test_pool import children

SCRIPT = """
import os, sys, time
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from tests.rewards.test_scorer import rollouts

FACTOR = 1


def scripted(completions):
    print("in a worker", flush=True)
    time.sleep(30 if completions == ["hang"] else 0.4)
    return [float(FACTOR * len(c)) * (os.getpid() != MINE) for c in completions]


MINE, FACTOR = os.getpid(), 2
with Scorer([resolve(scripted)], workers=4, timeout=5.0, on_print=lambda p: sys.stderr.write(p[0].text)) as scorer:
    begin = time.monotonic()
    print([e.reward for e in scorer.score(rollouts(*[["a", "bb"]] * 4))])
    assert time.monotonic() - begin < 4 * 0.4, "one after another"
"""


def test_functions_of_a_script_run_in_as_many_processes_as_the_run_file_says(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    path = os.pathsep.join(["src", "."])
    run = [sys.executable, str(tmp_path / "script.py")]
    ended = subprocess.run(run, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, f"{[2.0, 4.0] * 4}\n"), ended.stderr
    assert ended.stderr == "in a worker"


def test_lambdas_are_killed_at_the_deadline_and_replaced():
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    hanging = lambda completions: [time.sleep(60) if c == "hang" else float(len(c)) for c in completions]  # noqa: E731
    found, _ = score([hanging], rollouts(["a", "hang"], ["bb"]), timeout=0.5, max_error_rate=0.5)
    assert found == [1.0, None, 2.0]
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize("order", ["os._exit(3)", "os.kill(os.getpid(), 9)", "sys.exit(0)", "1 / 0"])
def test_a_fork_that_ends_is_a_fault(order):
    function = eval(f"lambda completions: [{order}]", {"os": os, "sys": sys})
    assert score([function], rollouts(["a"]), max_error_rate=1.0)[0] == [None]


def test_a_fork_can_use_torch():
    (torch.randn(200, 200) @ torch.randn(200, 200)).sum()
    function = eval("lambda completions: [torch.ones(300, 300) @ torch.ones(300, 300)][0][:1, 0]", {"torch": torch})
    assert score([function], rollouts(["a"]), timeout=20.0)[0] == [300.0]


def test_what_a_closure_remembers_is_here():
    seen = []

    def remembers(completions):
        seen.extend(completions)
        return [1.0] * len(completions)

    assert score([remembers], rollouts(["a", "b"]))[0] == [1.0, 1.0]
    assert seen == ["a", "b"]
