"""How the learning rate moves."""

import math

import pytest

from posttrain.training.schedule import Rates, Schedule, too_long


def rates(schedule, steps=10):
    return [schedule.at(s) for s in range(steps)]


def test_constant():
    assert rates(Schedule(0.5, 10)) == [0.5] * 10


def test_warm_up_is_a_line_that_starts_above_zero_and_ends_at_the_peak():
    assert rates(Schedule(1.0, 10, warmup=4))[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_warm_up_below_one_is_a_share_of_the_run():
    assert rates(Schedule(1.0, 10, warmup=0.4)) == rates(Schedule(1.0, 10, warmup=4))
    assert rates(Schedule(1.0, 10, warmup=0.31)) == rates(Schedule(1.0, 10, warmup=4))
    assert rates(Schedule(1.0, 10, warmup=4.0)) == rates(Schedule(1.0, 10, warmup=4))
    assert rates(Schedule(1.0, 10, warmup=0.0)) == [1.0] * 10


def test_linear_ends_at_zero_after_the_last_step():
    made = rates(Schedule(1.0, 10, "linear"), 11)
    assert made == pytest.approx([1 - s / 10 for s in range(11)])
    assert made[9] > 0 == made[10]


def test_cosine_is_half_way_in_the_middle():
    made = rates(Schedule(2.0, 10, "cosine"), 11)
    assert made[0] == 2.0
    assert made[5] == pytest.approx(1.0)
    assert made[10] == pytest.approx(0.0)
    assert made[2] == pytest.approx(1 + math.cos(0.2 * math.pi))


def test_decay_begins_after_the_warm_up():
    made = rates(Schedule(1.0, 10, "linear", warmup=2), 11)
    assert made[:3] == [0.5, 1.0, 1.0]
    assert made[3] == pytest.approx(7 / 8)
    assert all(a >= b for a, b in zip(made[1:], made[2:], strict=False))


def test_one_peak_for_all_or_one_for_each():
    assert Rates(0.5, ("critic", "policy"), 10)(3) == {"critic": 0.5, "policy": 0.5}
    assert Rates({"policy": 1.0, "critic": 4.0}, ("critic", "policy"), 10, warmup=2)(0) == {
        "critic": 2.0,
        "policy": 0.5,
    }


@pytest.mark.parametrize(("warmup", "told"), [(0, False), (0.99, False), (10, False), (11, True)])
def test_a_warm_up_longer_than_the_run_is_noticed(warmup, told):
    assert bool(too_long(warmup, 10)) == told
    assert "ends at 25% of its peak" in too_long(40, 10)
