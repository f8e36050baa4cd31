"""Online model selection: a master that shifts its trust from a language model to a learner as the learner learns.

Every round the master draws a base by p, the base acts, and the loss ℓ in [0, 1] is charged to it alone, weighted by
its importance, which is unbiased: ℓ̂_i = ℓ [i drawn] / p_i, E ℓ̂_i = ℓ_i. Mirror descent with the log barrier (CORRAL):

    1 / p'_i = 1 / p_i + η (ℓ̂_i - λ),    λ such that Σ p'_i = 1

A part ε of p is spread evenly, so that nobody is forgotten. The learner learns from every round, whoever acted: its
table holds means of actions, which do not depend on who took them. Without that (`share` off) the master starves a
learner that begins badly, and it never learns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import numpy as np

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import Floats
from posttrain.learners.worlds.recommendation import Recommendation
from posttrain.seeds import seed_for


def importance_weighted(loss: float, drawn: int, p: Floats) -> Floats:
    """ℓ̂: the loss over its probability at the base that was drawn, 0 at the others."""
    estimate = np.zeros(len(p))
    estimate[drawn] = loss / p[drawn]
    return estimate


def log_barrier(p: Floats, loss: Floats, rate: float) -> Floats:
    """One step of mirror descent with the log barrier. λ is found by bisection: Σ p' grows with it."""
    pairs = [(1 / q, x) for q, x in zip(p.tolist(), loss.tolist(), strict=True)]
    low, high = float(loss.min()), min(float(loss.max()), *(x + inverse / rate for inverse, x in pairs))
    while (middle := (low + high) / 2) not in (low, high):
        total = sum(1 / (inverse + rate * (x - middle)) for inverse, x in pairs)
        low, high = (middle, high) if total < 1 else (low, middle)
    new = np.array([1 / (inverse + rate * (x - low)) for inverse, x in pairs])
    return np.asarray(new / new.sum())


class Base(Protocol):
    """Something that acts in a context, and learns from what it earned."""

    def act(self, context: int) -> int:
        """Choose an action."""

    def learn(self, context: int, action: int, reward: float) -> None:
        """Take note of a reward between 0 and 1."""


class Ucb:
    """Optimism with a table: the action with the largest mean + width sqrt(log(n) / n_a) of the context."""

    def __init__(self, contexts: int, actions: int, width: float = 0.3) -> None:
        self.totals = np.zeros((contexts, actions))
        self.counts = np.zeros((contexts, actions))
        self.width = width

    def act(self, context: int) -> int:
        """Choose an action; what was never tried comes first."""
        n = self.counts[context]
        if (n == 0).any():
            return int((n == 0).argmax())
        return int((self.totals[context] / n + self.width * np.sqrt(np.log(n.sum()) / n)).argmax())

    def learn(self, context: int, action: int, reward: float) -> None:
        """Add a reward to its action."""
        self.totals[context, action] += reward
        self.counts[context, action] += 1


class Advisor:
    """A speaker as a base: it is asked once in a context, and never learns. `asked`: how often it acted."""

    def __init__(self, world: Recommendation, speaker: Speaker) -> None:
        self.world, self.speaker = world, speaker
        self.asked = 0

    def act(self, context: int) -> int:
        """The action that it names; the first where the reply could not be read."""
        self.asked += 1
        best = self.world.actions[int(self.world.clicks[context].argmax())]
        text = f"{self.world.describe(context)} Which book will this reader click?"
        (said,) = self.speaker.answer([Question(text, self.world.actions, best)])
        return 0 if said is None else self.world.actions.index(said)

    def learn(self, context: int, action: int, reward: float) -> None:
        """Learn nothing."""


def play(
    world: Recommendation, bases: Sequence[Base], *, seed: int, rounds: int, rate: float, least: float, share: bool
) -> tuple[Floats, Floats]:
    """Play rounds with a master over the bases: the expected reward of each round [R], and p before it [R, bases]."""
    p = np.full(len(bases), 1 / len(bases))
    earned, trust = np.zeros(rounds), np.zeros((rounds, len(bases)))
    drawn = np.random.default_rng(seed_for(seed, "model selection"))
    for n in range(rounds):
        mixed = (1 - least) * p + least / len(p)
        i = int(drawn.choice(len(p), p=mixed))
        context = cast(int, world.reset(seed_for(seed, "reader", n)))
        action = bases[i].act(context)
        reward = world.step(action).reward
        for base in bases if share else [bases[i]]:
            base.learn(context, action, reward)
        earned[n], trust[n] = world.clicks[context, action], mixed
        p = log_barrier(p, importance_weighted(1 - reward, i, mixed), rate)
    return earned, trust


def compared(
    world: Recommendation, speaker: Speaker, seeds: list[int], *, rounds: int, rate: float, least: float, share: bool
) -> Comparison:
    """The master over a speaker and a learner against the learner alone: the mean reward of a round."""
    learner: Callable[[], Ucb] = lambda: Ucb(len(world.tastes), len(world.actions))  # noqa: E731
    how = {"rounds": rounds, "rate": rate, "least": least, "share": share}
    helped, trusts, calls = [], [], 0
    for seed in seeds:
        advisor = Advisor(world, speaker)
        earned, trust = play(world, [advisor, learner()], seed=seed, **how)  # type: ignore[arg-type]
        helped.append(float(earned.mean()))
        trusts.append(trust[:, 0])
        calls += advisor.asked
    without = [float(play(world, [learner()], seed=seed, **how)[0].mean()) for seed in seeds]  # type: ignore[arg-type]
    mean = np.mean(trusts, axis=0)
    tenth = max(1, rounds // 10)
    numbers = {
        "calls": calls / (rounds * len(seeds)),
        "trust/first": float(mean[:tenth].mean()),
        "trust/last": float(mean[-tenth:].mean()),
    }
    return Comparison(helped, without, numbers, [round(float(x), 6) for x in mean])
