"""Signals: a run that is asked to stop finishes its step, saves and reports it; asked twice it ends at once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.harness.processes import ForkServer
from tests.harness.runs import metrics, run, same_bits

from posttrain.errors import StoppedError
from posttrain.runs.lock import RunLock
from posttrain.runs.signals import SIGNALS, Signals
from posttrain.viewer.display import Display

CONTENT: dict[str, Any] = {
    "model": "tiny",
    "method": "imitation/sft",
    "data": "arithmetic:chat=false,size=16",
    "train": {"steps": 4, "prompts_per_step": 4, "learning_rate": 1e-3},
    "name": "run",
}
ENDLESS = {**CONTENT, "train": {"steps": 100_000, "prompts_per_step": 4}}


@pytest.fixture(autouse=True, scope="module")
def heard() -> Iterator[None]:
    """As in a terminal, also where the tests themselves run behind `nohup` or in the background."""
    before = {n: signal.signal(n, signal.SIG_DFL) for n in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class AfterStep(Display):
    """Sends this process a signal within a step."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.at, self.number = step, number

    def step(self, step: int, metrics: Any) -> None:  # noqa: ARG002
        if step == self.at:
            os.kill(os.getpid(), self.number)


@pytest.mark.fault("P3", "P5")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
def test_the_step_is_finished_and_saved_and_a_resumed_run_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    whole = run(CONTENT, tmp_path / "whole")
    said = f"stopped by {number.name}; checkpoint-2 is saved, continue with --resume"
    with pytest.raises(StoppedError, match=re.escape(said)) as caught:
        run(CONTENT, tmp_path / "cut", display=AfterStep(2, number))
    assert caught.value.exit_code == 128 + number
    assert (tmp_path / "cut" / "run" / "latest").resolve().name == "checkpoint-2"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = run(CONTENT, tmp_path / "cut", resume=True)
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


@pytest.fixture(scope="module")
def server(heard: None) -> Iterator[ForkServer]:  # noqa: ARG001 -- it inherits what is ignored
    with ForkServer() as server:
        yield server


def until_step(folder: Path, step: int) -> None:
    """Wait until a run has written the metrics of a step."""
    file, deadline = folder / "run" / "metrics.jsonl", time.monotonic() + 60
    while not file.exists() or file.read_bytes().count(b"\n") < step:
        assert time.monotonic() < deadline, (folder / "output.txt").read_text()
        time.sleep(0.01)


@pytest.mark.fault("P3")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_process_that_is_asked_to_stop_ends_with_the_code_of_its_signal(
    number: signal.Signals, code: int, server: ForkServer, tmp_path: Path
) -> None:
    pid = server.start(ENDLESS, tmp_path)
    until_step(tmp_path, 2)
    os.kill(pid, number)
    assert server.end() == code
    saved = (tmp_path / "run" / "latest").resolve().name
    assert f"stopped by {number.name}; {saved} is saved" in (tmp_path / "output.txt").read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    RunLock(tmp_path / "run" / ".lock").acquire()  # it was given back


@pytest.mark.fault("P3")
def test_the_second_signal_ends_the_run_at_once(server: ForkServer, tmp_path: Path) -> None:
    """In the middle of a step that would never end."""
    (tmp_path / "slow.py").write_text("import time\n\ndef slow(completions):\n    time.sleep(1000)\n")
    content = {
        **ENDLESS,
        "method": "online/grpo",
        "rewards": [f"{tmp_path}/slow.py:slow"],
        "scoring": {"timeout": 900, "workers": 1},
        "sampling": {"max_tokens": 2},
    }
    pid = server.start(content, tmp_path)
    deadline = time.monotonic() + 60
    while not (workers := children(pid, "posttrain.rewards.workers.worker")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert Path(f"/proc/{pid}").exists()  # it waits for the step
    began = time.monotonic()
    os.kill(pid, signal.SIGINT)
    assert server.end() == -signal.SIGINT  # which a shell shows as 130
    assert time.monotonic() - began < 1
    while Path(f"/proc/{workers[0]}").exists():
        assert time.monotonic() < began + 10, "the worker outlived its run"
        time.sleep(0.05)


def children(pid: int, module: str) -> list[int]:
    """List the processes that a process has started to run a module."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    started = [child for listing in threads for child in listing.read_text().split()]
    return [int(child) for child in started if module in Path(f"/proc/{child}/cmdline").read_text()]


@pytest.mark.fault("P4")
def test_a_run_that_is_halted_and_continued_goes_on(server: ForkServer, tmp_path: Path) -> None:
    content = {**CONTENT, "train": {**CONTENT["train"], "steps": 60, "save_every": 1}}
    pid = server.start(content, tmp_path)
    until_step(tmp_path, 5)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1)
    halted = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    time.sleep(1)
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == halted
    os.kill(pid, signal.SIGCONT)
    assert server.end() == 0
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes().count(b"\n") == 60


def test_what_the_shell_ignores_stays_ignored() -> None:
    """As after `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = Signals(lambda: "nothing is written")
    try:
        signals.open()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == signals._arrived
    finally:
        signals.close()
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_thread_leaves_the_signals_alone() -> None:
    signals = Signals(lambda: "nothing is written")
    thread = threading.Thread(target=signals.open)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_between_the_steps_nothing_is_waited_for() -> None:
    signals = Signals(lambda: "nothing is written")
    signals.open()
    try:
        with pytest.raises(StoppedError, match="stopped by SIGTERM; nothing is written"):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signals.close()


def test_a_signal_after_the_last_look_is_raised_at_the_end_of_the_loop() -> None:
    told: list[bool] = []
    signals = Signals(lambda: "checkpoint-3 is saved", lambda: told.append(True))
    signals.open()
    try:
        with pytest.raises(StoppedError, match="stopped by SIGTERM; checkpoint-3 is saved"), signals.deferred():
            signal.raise_signal(signal.SIGTERM)
        assert told == [True]
    finally:
        signals.close()


class AtStart(Display):
    """Sends a signal before the first step, or while the last checkpoint is being written."""

    def start(self, *_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_is_stopped_before_its_first_step_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="stopped by SIGINT; nothing is written"):
        run(CONTENT, tmp_path, display=AtStart())
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_the_model_is_loaded_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("posttrain.launch.run.load_policy", interrupted)
    with pytest.raises(StoppedError, match="stopped by SIGINT before the first step; nothing is written") as caught:
        run(CONTENT, tmp_path)
    assert caught.value.exit_code == 130
    assert list(tmp_path.iterdir()) == []
