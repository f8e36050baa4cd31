"""The queue of batches that are drawn before their step: whose weights draw which, and where it ends."""

import pytest

from posttrain.records import Prompt
from posttrain.training.batch_queue import BatchQueue
from posttrain.training.drawn import Drawn


def course(steps, total, ahead=None, start=0):
    """The steps of a run that draws nothing: for each, whose batch it got, drawn after how many steps."""
    ahead = ahead or BatchQueue(steps)
    taken = []
    for step in range(start, total):
        drawn = ahead.take(step, total, lambda n, now=step: Drawn([], [n, now], {}))
        taken.append(tuple(drawn.chosen))
    return taken


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_a_batch_is_as_old_as_the_queue_is_long(steps):
    for step, (own, drawn_after) in enumerate(course(steps, 5)):
        assert own == step
        assert step - drawn_after == min(step, steps)


def test_nothing_is_drawn_behind_the_last_step():
    ahead = BatchQueue(3)
    course(3, 4, ahead)
    assert ahead.drawn == []


def test_a_queue_goes_on_where_a_checkpoint_left_it_and_drains_where_it_is_longer_than_it_may_be():
    whole, cut = BatchQueue(2), BatchQueue(2)
    before = course(2, 6, whole)
    cut.take(0, 6, lambda n: Drawn([], [n, 0], {}))
    resumed = BatchQueue(2)
    resumed.restore(cut.state(), [])
    assert course(2, 6, resumed, start=1) == before[1:]
    shorter = BatchQueue(0)
    shorter.restore(cut.state(), [])
    assert course(0, 6, shorter, start=1) == [(1, 0), (2, 0), (3, 3), (4, 4), (5, 5)]


def test_checkpoints_of_a_queue_of_one_are_read():
    ahead, prompts = BatchQueue(1), [Prompt(0, "1=")]
    ahead.restore(None, prompts)
    assert ahead.drawn == []
    ahead.restore(Drawn([], [3], {"reward": 1.0}).state(), prompts)
    assert [d.metrics for d in ahead.drawn] == [{"reward": 1.0}]
