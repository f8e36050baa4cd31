"""Stands for the package stable_baselines3, which is not installed where the tests run.

Like it, a model seeds and draws from the global generators, refuses actions that it cannot choose, and has a policy.
"""

from __future__ import annotations

import random

import numpy as np
import torch


class _Model:
    space = "Discrete"

    def __init__(self, policy, env, seed, device, learning_rate=0.1):
        assert type(env.action_space).__name__ == self.space, f"The algorithm only supports {self.space}"
        assert (policy, device) == ("MlpPolicy", "cpu")
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        self.env, self.seed, self.policy, self.rate = env, seed, torch.nn.Linear(1, 1), learning_rate

    def learn(self, steps):
        self.env.reset(seed=self.seed)
        drawn = random.random() + np.random.random()
        rewards = [self.env.step(1)[1] for _ in range(steps)]
        torch.nn.init.constant_(self.policy.bias, (drawn + sum(rewards)) / self.rate)
        return self

    def predict(self, state, deterministic):
        random.random()
        return np.asarray(int(deterministic)), None


class PPO(_Model):
    pass


class DQN(_Model):
    pass


class SAC(_Model):
    space = "Box"
