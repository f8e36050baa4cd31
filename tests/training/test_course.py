"""How many steps a stage has, also where a resumed run takes other batches: what is left is counted in records."""

from __future__ import annotations

from typing import Any

import pytest

from posttrain.config.sections.train import Train
from posttrain.training.course import Course, batches_left
from posttrain.training.schedule import Rates


class Records:
    """A feed of 4 records that stands at a position."""

    least = 1

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.dataset = range(4)

    def steps_per_epoch(self, count: int) -> int:
        return -(-4 // count)


def course(position: int = 0, **train: Any) -> Any:
    return Course.of(Train(**train), Records(position), 0, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("train", "total"),
    [
        ({"steps": 9}, 9),
        ({"epochs": 2, "prompts_per_step": 2}, 4),
        ({"epochs": 2, "prompts_per_step": 3}, 4),
        ({"epochs": 0.25, "prompts_per_step": 4}, 1),
        ({}, 1),
    ],
)
def test_steps_or_epochs(train: dict[str, Any], total: int) -> None:
    assert course(**train).total == course(**train).whole == total


@pytest.mark.parametrize(
    ("position", "epochs", "per_step", "left"),
    [
        (8, 3, 8, 1),  # two epochs of four are done: one batch of eight holds the third
        (8, 3, 2, 2),
        (6, 3, 4, 2),  # half of the second epoch, then the third
        (6, 1.5, 4, 0),
        (5, 1.5, 1, 1),
        (5, 2.5, 2, 3),
        (12, 3, 2, 0),
        (20, 3, 2, 0),
    ],
)
def test_what_is_left_is_counted_in_records(position: int, epochs: float, per_step: int, left: int) -> None:
    assert batches_left(4, position, epochs, per_step) == left


def test_a_resumed_course_ends_where_the_epochs_say() -> None:
    saved = course(epochs=2, prompts_per_step=2).state()  # 4 steps of 2 are done
    now = Train(epochs=3, prompts_per_step=8)
    fresh = Course.of(now, Records(), 0, 0)  # type: ignore[arg-type]
    resumed = fresh.resumed(saved, now, Records(8), step=4, ahead=0)  # type: ignore[arg-type]
    assert (fresh.total, resumed.total, resumed.whole) == (3, 5, 3)
    again = fresh.resumed(resumed.state(), now, Records(8), step=4, ahead=0)  # type: ignore[arg-type]
    assert again == resumed  # a second attempt with the same batches
    assert fresh.resumed(saved, now, Records(8), step=3, ahead=1).total == 5  # type: ignore[arg-type]


def test_without_other_batches_nothing_is_counted_anew() -> None:
    now = Train(epochs=3, prompts_per_step=2)
    fresh = Course.of(now, Records(), 0, 0)  # type: ignore[arg-type]
    saved = course(epochs=2, prompts_per_step=2).state()
    assert fresh.resumed(saved, now, Records(8), step=4, ahead=0) == fresh  # type: ignore[arg-type]


def test_given_steps_count_whatever_the_batches() -> None:
    now = Train(steps=9, prompts_per_step=8)
    fresh = Course.of(now, Records(), 0, 0)  # type: ignore[arg-type]
    resumed = fresh.resumed(course(steps=6, prompts_per_step=2).state(), now, Records(8), 4, 0)  # type: ignore[arg-type]
    assert (resumed.total, resumed.shift) == (9, 0)


def test_the_schedule_goes_on_as_if_all_steps_were_of_the_new_size() -> None:
    """Two of three epochs are done: a linear decay has a third of the peak left, and then nothing."""
    rates = Rates(3.0, ("policy",), steps=3, kind="linear", shift=3 - 5)
    assert rates(4) == {"policy": 1.0}
    assert Rates(3.0, ("policy",), steps=3, kind="linear", shift=-2)(0) == {"policy": 3.0}
