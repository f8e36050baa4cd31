"""Trials: the learner learns from the written reward alone, and is measured by the world's own."""

from __future__ import annotations

from statistics import fmean

import pytest

from posttrain.learners.coding.reward_code import RewardTable
from posttrain.learners.coding.trial import at_checkpoints, tried
from posttrain.learners.q_learning import Settings
from posttrain.learners.worlds.chain import Chain

CHAIN = Chain(length=4, slip=0.0, near=0.0)
FEW = Settings(episodes=20, explore=0.2, horizon=30)


def moved(sign: float = 1.0) -> RewardTable:
    total = {(s, a, max(0, s + 2 * a - 1)): sign * (max(0, s + 2 * a - 1) - s) for s in range(3) for a in (0, 1)}
    return RewardTable(total, {"moved": total, "none": dict.fromkeys(total, 0.0)})


@pytest.mark.paper("ma2023vyo")
def test_the_learner_learns_from_the_written_reward_alone():
    away = tried(CHAIN, moved(-1.0), 0, FEW)
    assert tried(CHAIN, moved(), 0, FEW).score > tried(CHAIN, None, 0, FEW).score > away.score
    assert max(away.learned.q[2]) == away.learned.q[2][0]  # the goal is one step away, and avoided


@pytest.mark.paper("ma2023vyo")
def test_fitness_is_the_best_checkpoint_of_the_world_s_own_return():
    trial = tried(CHAIN, moved(), 0, FEW)
    assert trial.fitness == max(at_checkpoints(trial.learned.returns)) <= CHAIN.discount**2
    assert trial.score == fmean(trial.learned.returns)
    assert trial.curves["length"] == at_checkpoints([float(n) for n in trial.learned.steps])


def test_components_are_summed_in_each_episode():
    trial = tried(CHAIN, moved(), 0, FEW)
    assert trial.curves["none"] == [0.0] * 10
    assert trial.curves["moved"] == trial.curves["reward"] == [3.0] * 10  # from 0 to 3 whatever the way
    assert trial.report()["curves"]["moved"] == [3.0] * 10
    assert set(tried(CHAIN, None, 0, FEW).curves) == {"return", "length"}


def test_checkpoints_are_the_means_of_equal_stretches():
    assert at_checkpoints([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0]
    assert at_checkpoints([1.0, 2.0]) == [1.0, 2.0]
    assert at_checkpoints([1.0, 2.0, 3.0], 2) == [1.0, 2.5]
