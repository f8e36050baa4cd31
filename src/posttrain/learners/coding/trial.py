"""A trial of a reward: a learner that learns from it alone, and how well it does in the world itself meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from posttrain.learners.coding.reward_code import RewardTable
from posttrain.learners.q_learning import Hooks, Learned, Settings, Transition, q_learning
from posttrain.learners.world import State, World

POINTS = 10  # checkpoints at which statistics are shown


@dataclass
class InPlace:
    """A reward in place of the world's own, and the sums of its components in every episode."""

    reward: RewardTable
    sums: dict[str, list[float]] = field(default_factory=dict)

    def begin(self, state: State, episode: int) -> None:
        """Begin the sums of an episode."""
        del state, episode
        for name in ("reward", *self.reward.parts):
            self.sums.setdefault(name, []).append(0.0)

    def __call__(self, step: Transition) -> float:
        """Return what the step earns instead of its own reward."""
        key = (step.state, step.action, step.after)
        total = self.reward.total[key]
        self.sums["reward"][-1] += total
        for name, part in self.reward.parts.items():
            self.sums[name][-1] += part[key]
        return total - step.reward


@dataclass(frozen=True)
class Trial:
    """What a learner made of a reward. `curves`: by name, the mean at each checkpoint: its return in the world itself,
    the length of its episodes, and what the reward and its components added up to.
    """

    learned: Learned
    curves: Mapping[str, Sequence[float]]

    @property
    def fitness(self) -> float:
        """The best checkpoint's return in the world itself, which is what the search is about (Eureka's F)."""
        return max(self.curves["return"])

    @property
    def score(self) -> float:
        """The mean return of all episodes, which is larger for a learner that learns sooner."""
        return fmean(self.learned.returns)

    def report(self) -> dict[str, Any]:
        """Return the curves as plain data."""
        return {"curves": {name: [round(x, 6) for x in curve] for name, curve in self.curves.items()}}


def tried(world: World, reward: RewardTable | None, seed: int, settings: Settings) -> Trial:
    """Learn from a reward alone; None is the world's own."""
    extra = None if reward is None else InPlace(reward)
    learned = q_learning(world, seed, settings, Hooks(extras=() if extra is None else (extra,)))
    sums = {} if extra is None else extra.sums
    curves = {"return": learned.returns, "length": [float(n) for n in learned.steps], **sums}
    return Trial(learned, {name: at_checkpoints(values) for name, values in curves.items()})


def at_checkpoints(values: Sequence[float], points: int = POINTS) -> list[float]:
    """Return the means of `points` stretches of equal length, up to one; of each value where there are fewer."""
    n = min(points, len(values))
    cuts = [i * len(values) // n for i in range(n + 1)]
    return [fmean(values[a:b]) for a, b in pairwise(cuts)]
