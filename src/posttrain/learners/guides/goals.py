"""Guiding Pretraining in Reinforcement Learning with Large Language Models (ELLM; Du et al., 2023).

A speaker says what would make sense to do in a state; a step is rewarded for how similar what it did is to one of
these goals, each of which pays once in an episode:

    r_int = max_g cos(E(caption of the step), E(g)) over the goals g suggested in s, if it is above T, else 0

Q is first learned from r_int alone, then from the reward of the world, beginning where the first left it.
The paper embeds sentences by a model; here E counts words (learners/words.py), or is any function that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from posttrain.learners.q_learning import Hooks, Learned, Settings, Transition, q_learning
from posttrain.learners.questions import YES, Asked, narrated_world
from posttrain.learners.speaker import Speaker
from posttrain.learners.words import similarity
from posttrain.learners.world import State, Step, Table, World

Alike = Callable[[str, str], float]


class Goals:
    """An extra reward for goals that are suggested. `reached`: how often each goal was rewarded, over all episodes.

    A goal whose suggestion could not be read is none. `novel`: whether a goal pays once in an episode.
    """

    def __init__(
        self, world: World, speaker: Speaker, *, threshold: float = 0.99, novel: bool = True, alike: Alike = similarity
    ) -> None:
        self.asked = Asked(world)
        self.world = narrated_world(world)
        self.speaker = speaker
        self.threshold = threshold
        self.novel = novel
        self.alike = alike
        self.known: dict[State, tuple[str, ...]] = {}
        self.achieved: set[str] = set()  # in this episode
        self.reached: dict[str, int] = {}

    def begin(self, state: State, episode: int) -> None:  # noqa: ARG002
        """Forget what was achieved."""
        self.achieved = set()

    def __call__(self, step: Transition) -> float:
        caption = self.world.caption(step.state, step.action, step.after)
        near = (
            {g: self.alike(caption, g) for g in self.suggested(step.state) if g not in self.achieved} if caption else {}
        )
        goal = max(near, key=lambda g: near[g], default="")
        if not goal or near[goal] <= self.threshold:
            return 0.0
        self.reached[goal] = self.reached.get(goal, 0) + 1
        if self.novel:
            self.achieved.add(goal)
        return near[goal]

    def suggested(self, state: State) -> tuple[str, ...]:
        """The goals that make sense in a state, asked for once."""
        if state not in self.known:
            goals = self.world.goals
            said = self.speaker.answer([self.asked.suggests(state, goal) for goal in goals])
            self.known[state] = tuple(g for g, a in zip(goals, said, strict=True) if a == YES)
        return self.known[state]


class Unrewarded(World):
    """A world that earns nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.actions = world.actions
        self.goal = world.goal
        self.discount = world.discount

    def reset(self, seed: int) -> State:
        return self.world.reset(seed)

    def describe(self, state: State) -> str:
        return self.world.describe(state)

    def table(self) -> Table:
        table = self.world.table()
        return replace(table, R=np.zeros_like(table.R))

    def step(self, action: int) -> Step:
        return replace(self.world.step(action), reward=0.0)


def pretrained(world: World, goals: Goals, seed: int, settings: Settings, episodes: int) -> Learned:
    """Learn for this number of episodes from the goals alone, then as `settings` says from the reward of the world."""
    first = q_learning(Unrewarded(world), seed, replace(settings, episodes=episodes), Hooks(extras=[goals]))
    unknown = [0.0] * len(world.actions)
    return q_learning(world, seed + 1, settings, Hooks(start=lambda state: first.q.get(state, unknown)))


def at_once(world: World, seed: int, settings: Settings, episodes: int) -> Learned:
    """Learn from the reward of the world for as many episodes in all; what the first ones earned is not counted."""
    learned = q_learning(world, seed, replace(settings, episodes=episodes + settings.episodes))
    return replace(learned, returns=learned.returns[episodes:], steps=learned.steps[episodes:])
