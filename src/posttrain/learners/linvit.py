"""How Can LLM Guide RL? A Value-Based Approach (LINVIT; Zhang et al., 2024).

Value iteration on what has been seen so far, optimistic where little was seen, with a KL to the speaker's policy p:

    Q(s, a) = R̂(s, a) + β / √n(s, a) + γ Σ_s' P̂(s' | s, a) V(s'), and V_max where n(s, a) = 0
    V(s)    = λ log Σ_a p(a | s) exp(Q(s, a) / λ),    π(a | s) ∝ p(a | s) exp(Q(s, a) / λ)

Every episode follows π. λ falls as λ / √(1 + t), so that a wrong speaker costs less and less; without a prior this is
optimistic value iteration. The paper returns the average of its policies, this the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import numpy as np

from posttrain.learners.q_learning import Learned
from posttrain.learners.questions import rows
from posttrain.learners.value_iteration import best, policy_of
from posttrain.learners.world import Floats, State, Table, World
from posttrain.seeds import seed_for

SWEEPS, TOLERANCE = 200, 1e-4  # of the planning before an episode, which begins with the values of the one before


@dataclass
class Seen:
    """What has been seen of a world: how often each step, and what it earned."""

    states: tuple[State, ...]
    ends: Floats
    steps: Floats  # [S, A, S]
    earned: Floats  # [S, A]
    V: Floats  # [S], of the last planning
    index: Mapping[State, int] = field(default_factory=dict)

    @classmethod
    def nothing(cls, table: Table) -> Seen:
        """Know the names of the states, and which are ends."""
        size, actions = table.R.shape
        numbers = np.zeros((size, actions, size)), np.zeros((size, actions)), np.zeros(size)
        return cls(table.states, table.terminal.astype(np.float64), *numbers, table.index())

    def optimistic(self, discount: float, bonus: float, highest: float) -> Floats:
        """Q [S, A] of the values so far."""
        tried = self.steps.sum(axis=2)
        known = np.maximum(tried, 1)
        ahead = (self.steps / known[:, :, None]) @ self.V
        Q = self.earned / known + bonus / np.sqrt(known) + discount * ahead
        return np.asarray(np.where(tried > 0, np.minimum(Q, highest), highest))


def linvit(
    world: World,
    seed: int,
    prior: Mapping[State, Floats] | None,
    *,
    strength: float = 0.1,
    bonus: float = 0.02,
    highest: float = 1.0,
    episodes: int = 30,
    horizon: int = 100,
) -> Learned:
    """Act by planning. Without a prior the plan is the optimistic one.

    Settings:
        strength: λ of the first episode; 0 is no prior, the size of a reward is much.
        bonus: β, how optimistic what was seen a few times is; 0 to 1.
        highest: V_max, the best return; above 0.
        episodes: number of episodes; at least 1.
        horizon: steps after which an episode is cut; at least 1.
    """
    table = world.table()
    seen, learned = Seen.nothing(table), Learned()
    p = None if prior is None else rows(table, prior)
    chance = Random(seed_for(seed, "linvit"))  # noqa: S311
    for episode in range(episodes):
        Q, weight = _planned(seen, world.discount, bonus, highest, p, strength / np.sqrt(1 + episode))
        _play(world, seed_for(seed, "episode", episode), chance, policy_of(Q, p, weight), seen, learned, horizon)
    learned.q = dict(zip(seen.states, Q.tolist(), strict=True))
    return learned


def _planned(
    seen: Seen, discount: float, bonus: float, highest: float, prior: Floats | None, strength: float
) -> tuple[Floats, float]:
    """Q [S, A] after sweeps that move no value any more, and the strength that it was planned with."""
    for _ in range(SWEEPS):
        Q = seen.optimistic(discount, bonus, highest)
        V = (1 - seen.ends) * best(Q, prior, strength)
        moved, seen.V = np.abs(V - seen.V).max(), V
        if moved < TOLERANCE:
            break
    return Q, strength


def _play(world: World, seed: int, chance: Random, policy: Floats, seen: Seen, learned: Learned, horizon: int) -> None:
    """Follow a policy for an episode, and see what it does."""
    state, earned, discount, time, done = world.reset(seed), 0.0, 1.0, 0, False
    while not done and time < horizon:
        row = seen.index[state]
        action = chance.choices(range(len(world.actions)), policy[row].tolist())[0]
        step = world.step(action)
        seen.steps[row, action, seen.index[step.state]] += 1
        seen.earned[row, action] += step.reward
        earned, discount = earned + discount * step.reward, discount * world.discount
        state, time, done = step.state, time + 1, step.done
    learned.returns.append(earned)
    learned.steps.append(time)
