"""Reward Design with Language Models (Kwon et al., 2023): a speaker says at the end of an episode whether it was good.

    prompt = task + objective + how the episode ended + question;    R = 1[yes] at the end, 0 before

The label takes the place of the world's own reward. One that is wrong with probability e has the mean (1 - 2e) R + e,
so the best policy stays the best while e < 1/2. A reply that cannot be read is no label: nothing is learned from that
step. The paper makes it 0, which would be a verdict.
"""

from __future__ import annotations

import numpy as np

from posttrain.learners.q_learning import Learned, Transition, greedy
from posttrain.learners.questions import NO, YES
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import evaluated, value_iteration
from posttrain.learners.world import State, World


class Unrewarded:
    """Takes the world's own reward away: what a learner knows when nobody says what is good."""

    def begin(self, state: State, episode: int) -> None:
        """Remember nothing."""

    def __call__(self, step: Transition) -> float | None:
        return -step.reward


class Proxy(Unrewarded):
    """The speaker's labels in place of the world's own reward. `examples`: labelled outcomes that it reads before."""

    def __init__(self, world: World, speaker: Speaker, *, objective: str = "", examples: str = "") -> None:
        self.world = world
        self.speaker = speaker
        self.objective = objective or world.goal
        self.examples = examples
        self._labels: dict[State, float | None] = {}

    def __call__(self, step: Transition) -> float | None:
        if not step.done:
            return -step.reward
        label = self.label(step.after, good=step.reward > 0)
        return None if label is None else label - step.reward

    def label(self, end: State, *, good: bool) -> float | None:
        """Return 1 or 0 for how an episode ended, asked once; None where the reply cannot be read."""
        if end not in self._labels:
            (said,) = self.speaker.answer([self.question(end, good=good)])
            self._labels[end] = None if said is None else float(said == YES)
        return self._labels[end]

    def question(self, end: State, *, good: bool) -> Question:
        """Ask whether the objective was met. `good`: what is true, for the scripted speaker alone."""
        parts = (
            f"The objective: {self.objective}.",
            self.examples,
            f"What happened: {self.world.describe(end)}",
            "Was the objective met?",
        )
        return Question("\n".join(p for p in parts if p), (YES, NO), YES if good else NO)

    def report(self) -> dict[str, float]:
        """Compare the labels of all ends with what is true: how many could be read, and how many of those are right."""
        table = self.world.table()
        ends = np.argwhere((table.P > 0) & ~table.terminal[:, None, None] & table.terminal)
        truth = {table.states[t]: bool(table.R[s, a] > 0) for s, a, t in ends}
        labels = [(self.label(end, good=good), good) for end, good in truth.items()]
        read = [(label, good) for label, good in labels if label is not None]
        right = sum(bool(label) == good for label, good in read)
        return {"labels/read": len(read) / len(labels), "labels/right": right / len(read) if read else float("nan")}


def reached(world: World, learned: Learned) -> float:
    """Return the exact value of what a learner does, over that of the best policy."""
    table = world.table()
    policy = np.full(table.R.shape, 1 / len(world.actions))
    best = greedy(learned.q)
    for i, state in enumerate(table.states):
        if state in best:
            policy[i] = np.eye(len(world.actions))[best[state]]
    return float(table.start @ evaluated(table, policy) / (table.start @ value_iteration(table).V))
