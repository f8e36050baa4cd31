"""A tracker follows a run and can do it no harm."""

from __future__ import annotations

import math
import threading

import pytest

from posttrain.records import Episode, Prompt
from posttrain.trackers import follower
from posttrain.trackers.follower import ROWS, Follower


class Recorder:
    """A tracker that keeps what it is told, and fails when it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.told: list[tuple] = []
        self.fails = fails

    def _tell(self, name: str, *what: object) -> None:
        self.told.append((name, *what))
        if name == self.fails:
            raise OSError("the disk is gone")

    def metrics(self, step, numbers):
        self._tell("metrics", step, numbers)

    def samples(self, step, rows):
        self._tell("samples", step, rows)

    def finish(self, *, failed):
        self._tell("finish", failed)


EPISODE = Episode.of_answer(Prompt(1, "2+2="), 0, 0, (1,), (2,), (-0.5,), True, text="4", reward=0.5)


def test_it_passes_on_numbers_and_the_end():
    recorder = Recorder()
    follow = Follower("fake", lambda step: recorder)
    follow.metrics(3, {"loss": 0.5, "n": 2, "text": "x", "none": None, "nan": math.nan, "flag": True})
    follow.samples(3, [])
    follow.samples(3, [EPISODE] * (ROWS + 1))
    follow.finish(failed=True)
    rows = [("2+2=", "4", 0.5)] * ROWS
    assert recorder.told == [("metrics", 3, {"loss": 0.5, "n": 2.0}), ("samples", 3, rows), ("finish", True)]


@pytest.mark.parametrize("fails", ["metrics", "finish"])
def test_a_failure_is_logged_once_and_nothing_more_is_told(fails, caplog):
    recorder = Recorder(fails)
    follow = Follower("fake", lambda step: recorder)
    follow.metrics(1, {"loss": 0.5})
    follow._thread.join(1 if fails == "metrics" else 0)
    follow.metrics(2, {"loss": 0.5})
    follow.finish(failed=False)
    assert len(caplog.messages) == 1
    assert "report: fake OSError: the disk is gone" in caplog.messages[0]
    assert recorder.told[-1][0] == fails


def test_a_tracker_that_cannot_start_is_a_warning(caplog):
    follow = Follower("fake", lambda step: 1 / 0)
    follow.metrics(1, {})
    follow.finish(failed=False)
    assert len(caplog.messages) == 1
    assert "ZeroDivisionError" in caplog.messages[0]


def test_a_run_without_a_step_starts_no_tracker():
    started = []
    Follower("fake", started.append).finish(failed=True)
    assert started == []


def test_a_tracker_that_hangs_is_left_behind(caplog, monkeypatch):
    monkeypatch.setattr(follower, "BEHIND", 2)
    waits = threading.Event()
    follow = Follower("fake", lambda step: waits.wait(10) or Recorder(), patience=0.01)
    for step in range(4):
        follow.metrics(step, {"loss": 0.5})
    assert "fake is 2 messages behind" in caplog.text
    follow.finish(failed=False)
    monkeypatch.setattr(follower, "BEHIND", 9)
    other = Follower("slow", lambda step: waits.wait(10) or Recorder(), patience=0.01)
    other.metrics(1, {})
    other.finish(failed=False)
    assert "slow is not done after 0.01 seconds" in caplog.text
    waits.set()
