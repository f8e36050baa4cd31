"""What an expert teaches a planner: which skills can be used where, and what they pay.

    can: -log(p₊ / (p₊ + p₋ + p_random)),  p = σ(θ[s, k]) of the expert's next skill, one of another time, any skill
    pay: f(k, s) = δ^(n(k, s) - min_j n(j, s)),  n: the skills that were still to come when the expert used k in s

The payoff of the best skill of every state is 1, so it does not shorten plans; a skill that no expert used there pays
`δ^longest`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posttrain.learners.world import Floats, State
from posttrain.seeds import seed_for

Path = Sequence[tuple[State, int]]  # the states and skills of an episode


def contrastive_loss(positive: float, negative: float, drawn: float) -> float:
    """-log(p₊ / (p₊ + p₋ + p_random))."""
    return float(-np.log(positive / (positive + negative + drawn)))


@dataclass(frozen=True)
class Possible:
    """The logits θ [K] of every state that an expert was seen in; a skill of another state is possible to 1/2."""

    logits: Mapping[State, Floats]
    skills: int

    def __call__(self, state: State) -> Floats:
        """c(k, s) = σ(θ[s, k]) of each skill."""
        return np.asarray(1 / (1 + np.exp(-self.logits.get(state, np.zeros(self.skills)))))


def learn_possible(paths: Sequence[Path], skills: int, seed: int, *, passes: int = 60, rate: float = 1.0) -> Possible:
    """Fit the logits to the paths of an expert by stochastic gradient descent on the contrastive loss.

    The gradient of the loss in θ of the positive one is -(1 - q₊)(1 - p₊), in θ of another one q (1 - p), where
    q = p / (p₊ + p₋ + p_random).
    """
    drawn = np.random.default_rng(seed_for(seed, "contrastive"))
    logits: dict[State, Floats] = {state: np.zeros(skills) for path in paths for state, _ in path}
    for _ in range(passes):
        for path in paths:
            for state, positive in path:
                others = [k for _, k in path if k != positive] or [positive]
                three = (positive, others[drawn.integers(len(others))], int(drawn.integers(skills)))
                p = 1 / (1 + np.exp(-logits[state][list(three)]))
                share = p / p.sum()
                for i, k in enumerate(three):
                    logits[state][k] -= rate * (share[i] - (i == 0)) * (1 - p[i])
    return Possible(logits, skills)


def learn_payoff(paths: Sequence[Path], skills: int, *, decay: float = 0.8, longest: int = 20) -> dict[State, Floats]:
    """The payoff [K] of every state on the paths of an expert: how many skills were still to come, on average."""
    remaining: dict[tuple[State, int], list[int]] = {}
    for path in paths:
        for i, pair in enumerate(path):
            remaining.setdefault(pair, []).append(len(path) - i)
    payoff: dict[State, Floats] = {}
    for state, _ in remaining:
        means = [np.mean(remaining[state, k]) if (state, k) in remaining else np.inf for k in range(skills)]
        payoff[state] = decay ** np.minimum(np.array(means) - min(means), longest)
    return payoff
