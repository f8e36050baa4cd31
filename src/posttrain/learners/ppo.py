"""PPO on a table of logits, with a KL to a prior in place of the bonus for entropy.

    L = -mean min(ρ A, clip(ρ, 1 - ε, 1 + ε) A) + λ mean KL(π(· | s) || p(· | s)),    ρ = π(a | s) / π_old(a | s)

A = G - b(s), the return less the mean return seen in the state so far. Gradients are written out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from posttrain.learners.world import Floats, State, World
from posttrain.seeds import seed_for


@dataclass(frozen=True)
class PPOSettings:
    """How PPO learns.

    `batches` of `episodes` each, `passes` over a batch, learning `rate`, clipping at `clip`, cut after `horizon` steps.
    """

    batches: int = 60
    episodes: int = 20
    passes: int = 4
    rate: float = 1.0
    clip: float = 0.2
    horizon: int = 100


@dataclass
class Actor:
    """`logits` of each state, and the mean return seen there; `returns` of all episodes."""

    actions: int
    logits: dict[State, Floats] = field(default_factory=dict)
    means: dict[State, tuple[float, int]] = field(default_factory=dict)
    returns: list[float] = field(default_factory=list)

    def policy(self, state: State) -> Floats:
        """The probabilities of the actions."""
        return softmax(self.logits.setdefault(state, np.zeros(self.actions)))

    def advantage(self, state: State, earned: float) -> float:
        """The return less the mean of those seen before, among which it counts from now on."""
        mean, count = self.means.get(state, (0.0, 0))
        self.means[state] = (mean + (earned - mean) / (count + 1), count + 1)
        return earned - mean


Sample = tuple[State, int, float, float]  # state, action, probability that it was drawn with, advantage


def ppo(
    world: World,
    seed: int,
    settings: PPOSettings | None = None,
    *,
    prior: Mapping[State, Floats] | None = None,
    strength: float = 0.0,
) -> Actor:
    """Learn by acting. `prior`: probabilities by state, for those that have one; `strength`: λ, at least 0."""
    how, actor = settings or PPOSettings(), Actor(len(world.actions))
    chance = Random(seed_for(seed, "ppo"))  # noqa: S311
    for batch in range(how.batches):
        names = [seed_for(seed, "episode", batch, number) for number in range(how.episodes)]
        samples = [sample for name in names for sample in _episode(world, name, chance, actor, how.horizon)]
        for _ in range(how.passes):
            moves = gradient(actor, samples, how.clip, prior or {}, strength)
            for state, move in moves.items():
                actor.logits[state] = actor.logits[state] - how.rate * move
    return actor


def gradient(
    actor: Actor, samples: Sequence[Sample], clip: float, prior: Mapping[State, Floats], strength: float
) -> dict[State, Floats]:
    """The gradient of the loss for the logits of each state."""
    moves: dict[State, Floats] = {}
    for state, action, old, advantage in samples:
        policy = actor.policy(state)
        ratio = policy[action] / old
        clipped = ratio > 1 + clip if advantage > 0 else ratio < 1 - clip
        move = np.zeros(actor.actions) if clipped else -advantage * ratio * (_one(action, actor.actions) - policy)
        if strength and state in prior:
            gaps = np.log(policy) - np.log(prior[state])
            move = move + strength * policy * (gaps - policy @ gaps)
        moves[state] = moves.get(state, 0.0) + move / len(samples)
    return moves


def softmax(logits: Floats) -> Floats:
    """exp(x_i) / Σ_j exp(x_j)."""
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def _one(action: int, actions: int) -> Floats:
    return np.asarray(np.eye(actions)[action])


def _episode(world: World, seed: int, chance: Random, actor: Actor, horizon: int) -> list[Sample]:
    """Act for an episode; the advantages of its steps are those of the returns behind them."""
    state, done = world.reset(seed), False
    steps: list[tuple[State, int, float, float]] = []
    while not done and len(steps) < horizon:
        policy = actor.policy(state)
        action = chance.choices(range(actor.actions), policy.tolist())[0]
        step = world.step(action)
        steps.append((state, action, float(policy[action]), step.reward))
        state, done = step.state, step.done
    earned, samples = 0.0, []
    for before, action, old, reward in reversed(steps):
        earned = reward + world.discount * earned
        samples.append((before, action, old, actor.advantage(before, earned)))
    actor.returns.append(earned)
    return samples
