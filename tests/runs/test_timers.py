"""Seconds of the parts of a step."""

from __future__ import annotations

import pytest

from posttrain.runs import timers as module
from posttrain.runs.timers import StepTimers


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_parts_add_up_and_reading_starts_again(clock):
    timers = StepTimers()
    for seconds in (1.0, 2.5):
        with timers("sampling"):
            clock[0] += seconds
    with timers("rewards"):
        clock[0] += 4.0
    assert timers.read() == {"time/sampling": 3.5, "time/rewards": 4.0}
    assert timers.read() == {}


def test_a_part_inside_another_counts_in_both(clock):
    timers = StepTimers()
    with timers("step"):
        clock[0] += 1.0
        with timers("train"):
            clock[0] += 2.0
    assert timers.read() == {"time/train": 2.0, "time/step": 3.0}


def test_a_part_that_fails_is_counted_and_the_error_goes_on(clock):
    timers, rewards = StepTimers(), {}

    def fail():
        with timers("rewards"):
            clock[0] += 1.5
            rewards["missing"]

    with pytest.raises(KeyError):
        fail()
    assert timers.read() == {"time/rewards": 1.5}
