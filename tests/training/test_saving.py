"""When a checkpoint is due: by steps, by time, and by what is kept for good."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.config.sections.train import Train
from posttrain.training.saving import SaveClock, saves


@pytest.mark.parametrize(
    ("train", "minutes", "step", "due"),
    [
        ({}, 9, 5, False),
        ({}, 10, 5, True),
        ({"save_minutes": 0}, 1000, 5, False),
        ({"save_minutes": 2}, 3, 5, True),
        ({"save_every": 4}, 1000, 5, False),
        ({"save_every": 5}, 0, 5, True),
        ({"save_every": 4, "save_minutes": 2}, 3, 5, True),
        ({"keep_every": 15}, 0, 5, True),  # which is step 15 of the run
    ],
)
def test_due(train: dict[str, Any], minutes: float, step: int, due: bool) -> None:
    now = [0.0]
    clock = SaveClock(lambda: now[0])
    now[0] = 60.0 * minutes
    assert clock.due(Train(**train), step, step + 10) is due
    clock.saved()
    assert clock.due(Train(), 1, 1) is False


@pytest.mark.parametrize(
    ("train", "asked"), [({}, True), ({"save_minutes": 0}, False), ({"save_minutes": 0, "keep_every": 3}, True)]
)
def test_whether_a_run_saves_at_all(train: dict[str, Any], asked: bool) -> None:
    assert saves(Train(**train)) is asked
