"""Learners whose reward is a number of each state that they come to, and what a watcher prefers of two states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np

from posttrain.learners.q_learning import Hooks, Learned, Settings, Transition, q_learning
from posttrain.learners.questions import FIRST, NEITHER, SECOND, better
from posttrain.learners.seeing.encoder import Encoder
from posttrain.learners.seeing.goal_baseline import goal_baseline
from posttrain.learners.seeing.preferences import Preference
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.world import State, World

TIE = 1e-6  # values that differ by less are alike to the scripted speaker


class StateReward:
    """The reward of the state that a step leads to, less the largest there can be: an end must not lose anything."""

    def __init__(self, rewards: Mapping[State, float], largest: float = 1.0) -> None:
        self.rewards = rewards
        self.largest = largest

    def begin(self, state: State, episode: int) -> None:
        """Remember nothing."""

    def __call__(self, step: Transition) -> float | None:
        known = self.rewards.get(step.after)
        return None if known is None else known - self.largest - step.reward


class Visits(StateReward):
    """Remembers which states are met, in the order in which they are."""

    def __init__(self, rewards: Mapping[State, float]) -> None:
        super().__init__(rewards)
        self.states: dict[State, None] = {}

    def __call__(self, step: Transition) -> float | None:
        self.states |= {step.state: None, step.after: None}
        return super().__call__(step)


def visited(world: World, rewards: Mapping[State, float], seed: int, settings: Settings) -> list[State]:
    """Return the states that a learner meets that learns from these rewards; without any it acts at random."""
    visits = Visits(rewards)
    q_learning(world, seed, settings, Hooks(extras=[visits]))
    return [*visits.states]


def seen(world: World, eyes: Encoder, goal: str, baseline: str, alpha: float) -> dict[State, float]:
    """Return the reward of each state of a world by what an encoder sees of it and reads of the goal."""
    states = world.table().states
    g, b = eyes.texts([goal, baseline])
    return dict(zip(states, goal_baseline(eyes.states(world, states), g, b, alpha=alpha).tolist(), strict=True))


def values_of(world: World) -> dict[State, float]:
    """Return how good each state is in the exact table: its value, or what led to it where an episode ends there."""
    table = world.table()
    led = np.where(table.P > 0, table.R[:, :, None], -np.inf)[~table.terminal].max(axis=(0, 1))
    worth = np.where(table.terminal, led / table.discount, value_iteration(table).V)
    return dict(zip(table.states, worth.tolist(), strict=True))


def learned(world: World, rewards: Mapping[State, float], seed: int, settings: Settings) -> Learned:
    """Learn from the rewards of states alone."""
    return q_learning(world, seed, settings, Hooks(extras=[StateReward(rewards)]))


def pairs_of(states: Sequence[State], count: int, seed: int) -> list[tuple[State, State]]:
    """Draw pairs of different states."""
    chance = Random(seed)  # noqa: S311 (no secret)
    return [tuple(chance.sample(states, 2)) for _ in range(count)] if len(states) > 1 else []  # type: ignore[misc]


def preferred(
    world: World,
    speaker: Speaker,
    goal: str,
    pairs: Sequence[tuple[State, State]],
    values: Mapping[State, float],
    *,
    describe: bool = True,
) -> list[Preference]:
    """Ask which of two states is nearer the goal, in two stages: what both show, then which one.

    `values`: of the states, from which the scripted speaker knows; a model sees captions alone. `describe`: whether the
    first stage is asked.
    """
    shown = [f"First: {world.describe(a)}\nSecond: {world.describe(b)}" for a, b in pairs]
    told = list(shown)
    if describe:
        compare = "Describe how far the goal is reached in each."
        asked = [
            Question(f"The goal: {goal}.\n{text}\n{compare}", (), "They differ.", ("They differ much.",))
            for text in shown
        ]
        told = [f"{text}\n{said or ''}".strip() for text, said in zip(shown, speaker.answer(asked), strict=True)]
    questions = [
        Question(
            f"The goal: {goal}.\n{text}\nWhich one is nearer the goal?", (FIRST, SECOND, NEITHER), _truth(values, a, b)
        )
        for text, (a, b) in zip(told, pairs, strict=True)
    ]
    said = speaker.answer(questions)
    return [
        Preference(a, b, reply == FIRST if reply in (FIRST, SECOND) else None)
        for reply, (a, b) in zip(said, pairs, strict=True)
    ]


def nearer(rewards: Mapping[State, float], pairs: Sequence[tuple[State, State]], margin: float) -> list[Preference]:
    """Prefer the state of the larger reward, of an encoder say; none where they differ by less than a margin."""
    gaps = [rewards[a] - rewards[b] for a, b in pairs]
    return [Preference(a, b, gap > 0 if abs(gap) >= margin else None) for gap, (a, b) in zip(gaps, pairs, strict=True)]


def _truth(values: Mapping[State, float], one: State, other: State) -> str:
    gap = values[one] - values[other]
    return better(gap, TIE)
