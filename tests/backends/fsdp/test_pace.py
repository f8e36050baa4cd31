"""The slowest process is found by the same work, and named when it stays behind."""

from __future__ import annotations

import pytest

from posttrain.backends.fsdp.pace import STEPS, Pace


@pytest.mark.paper("000:[24]")
def test_the_ratio_is_that_of_the_slowest_to_the_others():
    pace = Pace()
    pace.add([1.0, 1.0, 3.0, 1.0])
    pace.add([1.0, 1.0, 1.0, 1.0])
    assert pace.metrics() == {"processes/slowest": 2.0}
    assert pace.metrics() == {}


@pytest.mark.parametrize("seconds", [[1.0], [1e-6, 1e-3, 1e-6]])
def test_one_process_and_times_that_are_too_short_say_nothing(seconds):
    pace = Pace()
    pace.add(seconds)
    assert pace.metrics() == {}


@pytest.mark.paper("000:[24]")
def test_a_process_that_stays_behind_is_named_once(caplog):
    pace = Pace()
    for _ in range(STEPS - 1):
        pace.add([1.0, 2.0, 1.0])
    pace.add([2.0, 1.0, 1.0])
    assert not caplog.records
    for _ in range(2 * STEPS):
        pace.add([1.0, 2.0, 1.0])
    (record,) = caplog.records
    assert record.getMessage() == "process 1 takes 2.0 times as long as the others for the same work"
