"""PPO on a table: its written gradient is that of its loss, and it finds the best arm."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.ppo import Actor, PPOSettings, gradient, ppo, softmax
from posttrain.learners.worlds.bandit import Bandit

OLD = np.array([0.5, 0.3, 0.2])
PRIOR = {"s": np.array([0.2, 0.2, 0.6])}


def loss(logits, samples, clip, strength):
    policy, total = softmax(logits), 0.0
    for _, action, old, advantage in samples:
        ratio = policy[action] / old
        total -= min(ratio * advantage, np.clip(ratio, 1 - clip, 1 + clip) * advantage)
        total += strength * float(policy @ (np.log(policy) - np.log(PRIOR["s"])))
    return total / len(samples)


@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_the_gradient_is_that_of_the_loss(strength):
    """Ratios 1.05 to 1.6 with both signs: some clipped, some not."""
    rng = np.random.default_rng(0)
    logits = np.log(OLD) + rng.normal(size=3) * 0.4
    samples = [("s", a, float(OLD[a]), x) for a in range(3) for x in (1.3, -0.7)]
    actor = Actor(3, {"s": logits})
    found = gradient(actor, samples, 0.2, PRIOR, strength)["s"]
    for i, step in enumerate(np.eye(3) * 1e-6):
        slope = (loss(logits + step, samples, 0.2, strength) - loss(logits - step, samples, 0.2, strength)) / 2e-6
        assert found[i] == pytest.approx(slope, abs=1e-6)


def test_advantages_are_returns_less_the_mean_before():
    actor = Actor(2)
    assert [actor.advantage("s", x) for x in (1.0, 3.0, 2.0)] == [1.0, 2.0, 0.0]


def test_it_finds_the_best_arm_and_a_prior_keeps_it_from_it():
    made, how = Bandit(pays=[0.1, 0.9]), PPOSettings(batches=15)
    assert ppo(made, 0, how).policy("before")[1] > 0.9
    kept = ppo(made, 0, how, prior={"before": np.array([0.9, 0.1])}, strength=5.0)
    assert kept.policy("before")[0] > 0.75
    assert len(kept.returns) == 15 * 20
    assert ppo(made, 0, how).returns == ppo(made, 0, how).returns
