"""Rewards computed while answers are still being sampled: the same values, only sooner."""

import os
import time

import pytest

from posttrain.errors import RewardError
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from tests.rewards.test_scorer import F, rollouts
from tests.rewards.workers.test_pool import children

SLOW = """
import time


def slow(completions):
    time.sleep(0.3)
    return [float(len(c)) for c in completions]
"""


@pytest.fixture
def slow(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    return resolve(f"{tmp_path / 'slow.py'}:slow")


def some(groups=6):
    return rollouts(*[[f"{'a' * (i + k)}" for k in range(1, 4)] for i in range(groups)])


def by_prompt(batch):
    groups = {}
    for r in batch:
        groups.setdefault(r.prompt.id, []).append(r)
    return list(groups.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_rewards_started_ahead_are_the_same(workers):
    rewards = [resolve(f"{F}:chance"), resolve(f"{F}:length"), resolve(lambda completions: [1.0] * len(completions))]
    batch = some()
    with Scorer(rewards) as alone:
        expected, metrics = alone.score(batch), alone.metrics()
    with Scorer(rewards, workers=workers) as scorer:
        for started in (by_prompt(batch), by_prompt(batch)[2:4], []):  # all, some, none
            for group in reversed(started):
                scorer.start(group)
            assert scorer.score(batch) == expected
            assert scorer.metrics() == metrics


def test_slow_rewards_hide_behind_the_writing(slow):
    """6 prompts, 0.3 s each on one worker, while the answers to each take 0.35 s to write."""
    batch = some()
    with Scorer([slow], workers=1) as scorer:
        scorer.score(batch[:1])  # the worker has started
        begin = time.perf_counter()
        expected = scorer.score(batch)
        afterwards = time.perf_counter() - begin
        for group in by_prompt(batch):
            time.sleep(0.35)
            scorer.start(group)
        begin = time.perf_counter()
        assert scorer.score(batch) == expected
        assert time.perf_counter() - begin < afterwards / 3


def test_what_fails_ahead_is_tried_alone_as_ever():
    batch = rollouts(["fine", "raise x", "good"], ["os._exit 3", "better"])
    with Scorer([resolve(f"{F}:obedient")], max_error_rate=1.0) as scorer:
        expected = [(r.reward) for r in scorer.score(batch)]
        for group in by_prompt(batch):
            scorer.start(group)
        assert [r.reward for r in scorer.score(batch)] == expected == [4.0, None, 4.0, None, 6.0]


def test_too_many_failures_stop_the_run():
    batch = rollouts(["raise x"], ["fine"])
    with Scorer([resolve(f"{F}:obedient")], max_error_rate=0.3) as scorer:
        for group in by_prompt(batch):
            scorer.start(group)
        with pytest.raises(RewardError, match="failed on 1 of 2"):
            scorer.score(batch)


def test_others_than_were_started_are_scored_anew():
    with Scorer([resolve(f"{F}:length")]) as scorer:
        scorer.start(some())
        assert [r.reward for r in scorer.score(rollouts(["four", "fives"]))] == [4.0, 5.0]


def test_nothing_is_left_behind():
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    scorer = Scorer([resolve(f"{F}:obedient")])
    scorer.start(rollouts(["sleep"], ["spin"], ["fine"]))
    begin = time.perf_counter()
    time.sleep(0.2)
    scorer.close()
    assert time.perf_counter() - begin < 5
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors
