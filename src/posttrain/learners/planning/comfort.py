"""What a passenger likes, learned from sensors: their readings become words, a speaker compares two drives, and a
reward is fitted to the comparisons.

    maximise Σ_pairs t log σ(w·(φ_A - φ_B)) + (1 - t) log σ(w·(φ_B - φ_A)) - |w|² / 2σ²,    t = p(A) + p(tie) / 2

φ: speed, jolts and bends of a drive. A sensor that failed in one of the two drives says nothing about the pair: its
feature is left out for both. The driver is then the optimal policy of the learned reward w·φ(s, a).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import evaluated, value_iteration
from posttrain.learners.world import Floats
from posttrain.learners.worlds.lane import CHANGES, FASTEST, WISHES, Lane, Road
from posttrain.seeds import seed_for

FEATURES = ("speed", "jolts", "bends")
OPTIONS = ("the first drive", "the second drive", "both alike")
CRASH = 20.0
PASSENGERS = {
    WISHES["quick"].words: "A passenger who is late for a train",
    WISHES["school"].words: "A passenger in front of a school, beside whose road children play",
    WISHES["sick"].words: "A passenger who feels sick in every bend and at every jolt",
}


@dataclass(frozen=True)
class Drive:
    """The sums of the features of a drive, NaN where a sensor failed, and its true worth to the passenger."""

    features: Floats
    worth: float

    def words(self) -> str:
        """What the sensors read."""
        parts = [
            f"{name}: {'the sensor failed' if np.isnan(x) else f'{x:.1f}'}"
            for name, x in zip(FEATURES, self.features, strict=True)
        ]
        return ", ".join(parts)


def features(state: Road, action: int) -> Floats:
    """φ(s, a): the share of the highest speed, the change of speed, and whether the lane changes."""
    speed = min(max(state.speed + CHANGES[action], 0), FASTEST)
    return np.array([speed / FASTEST, float(abs(speed - state.speed)), float(action == 3)])


def drives(world: Lane, seed: int, *, count: int, steps: int, failing: float) -> list[Drive]:
    """Drives with random actions, whose sensors fail with some probability; a drive that ends in a crash is cut."""
    drawn = np.random.default_rng(seed_for(seed, "drives"))
    found = []
    for n in range(count):
        state, total, worth = cast(Road, world.reset(seed_for(seed, "drive", n))), np.zeros(3), 0.0
        habits = drawn.dirichlet(np.ones(4))  # every drive has a style of its own
        for _ in range(steps):
            action = int(drawn.choice(4, p=habits))
            step = world.step(action)
            if step.done:
                break
            total, worth = total + features(state, action), worth + step.reward
            state = cast(Road, step.state)
        found.append(Drive(np.where(drawn.random(3) < failing, np.nan, total), worth))
    return found


def ask(world: Lane, speaker: Speaker, pairs: Sequence[tuple[Drive, Drive]]) -> list[float | None]:
    """t of each pair: how probable it is that the first drive was liked better; None where nothing could be read."""
    questions = []
    for one, two in pairs:
        truth = OPTIONS[2] if one.worth == two.worth else OPTIONS[one.worth < two.worth]
        text = (
            f"{PASSENGERS[world.wish.words]}, and wants to arrive, was driven twice. "
            f"First: {one.words()}. Second: {two.words()}. Which drive did they like better?"
        )
        questions.append(Question(text, OPTIONS, truth, OPTIONS[:2]))
    said = speaker.probabilities(questions)
    return [None if p is None else p[0] + p[2] / 2 for p in said]


def fit(pairs: Sequence[tuple[Drive, Drive]], targets: Sequence[float | None], *, prior: float = 1.0) -> Floats:
    """The weights w [F] with the largest posterior; unread pairs teach nothing. Newton's method."""
    read = [(one.features - two.features, t) for (one, two), t in zip(pairs, targets, strict=True) if t is not None]
    X = np.nan_to_num(np.array([x for x, _ in read]).reshape(len(read), len(FEATURES)))
    t, w = np.array([t for _, t in read]), np.zeros(len(FEATURES))
    for _ in range(30):
        p = 1 / (1 + np.exp(-X @ w))
        slope = X.T @ (t - p) - w / prior**2
        curvature = (X * (p * (1 - p))[:, None]).T @ X + np.eye(len(w)) / prior**2
        w = w + np.linalg.solve(curvature, slope)
    return w


def true_worth(world: Lane, w: Floats) -> float:
    """What the optimal driver of the reward w·φ is worth to the passenger, exactly. Crashes cost as much as ever."""
    table = world.table()
    phi = np.array([[features(cast(Road, s), a) for a in range(len(world.actions))] for s in table.states])
    crashes = (table.P * np.array([cast(Road, s).crashed for s in table.states])).sum(axis=2)
    R = np.where(table.terminal[:, None], 0.0, phi @ w - CRASH * max(1.0, float(np.abs(w).max())) * crashes)
    policy = value_iteration(replace(table, R=R), tolerance=1e-9).policy
    return float(table.start @ evaluated(table, policy))


def compared(world: Lane, speaker: Speaker, seeds: list[int], *, pairs: int, steps: int, failing: float) -> Comparison:
    """A driver of the learned reward against one that likes speed alone, by what the passenger truly thinks of them."""
    weights = []
    for seed in seeds:
        made = drives(world, seed, count=2 * pairs, steps=steps, failing=failing)
        couples = list(zip(made[::2], made[1::2], strict=True))
        weights.append(fit(couples, ask(world, speaker, couples)))
    mean = np.mean(weights, axis=0)
    numbers = {f"weight/{name}": float(x) for name, x in zip(FEATURES, mean, strict=True)}
    untold = true_worth(world, np.array([1.0, 0.0, 0.0]))
    kept = [dict(zip(FEATURES, map(float, w), strict=True)) for w in weights]
    return Comparison([true_worth(world, w) for w in weights], [untold] * len(seeds), numbers, kept)
