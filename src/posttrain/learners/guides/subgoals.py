"""Assessing the Zero-Shot Capabilities of LLMs for Action Evaluation in RL (CALM; Pignatelli et al., 2024).

A speaker says whether a step has achieved a subgoal, and an auxiliary reward credits that step:

    once        r + c Σ_z [z achieved by (s, a, s'), and not before in the episode]
    repeated    r + c Σ_z [z achieved by (s, a, s')]
    potential   r + γ φ(s') - φ(s),  φ = c · number of subgoals achieved,  φ(end) = 0

States remember what was achieved, so that all three are functions of them. Only the potential leaves the optimum as it
is; `repeated` can pay more for a subgoal that is achieved over and over than the world pays for its goal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from posttrain.learners.finite import Finite
from posttrain.learners.guides.potential import Shaping
from posttrain.learners.q_learning import Extra, Hooks, Transition
from posttrain.learners.questions import YES, Asked, narrated_world
from posttrain.learners.remembering import NOTHING, Achieving, Detect, Done
from posttrain.learners.speaker import Speaker
from posttrain.learners.world import State

Credit = Literal["potential", "once", "repeated"]


class Bonus:
    """An extra reward of c for each subgoal that `counts` in a step."""

    def __init__(self, counts: Callable[[Transition], int], size: float) -> None:
        self.counts = counts
        self.size = size

    def begin(self, state: State, episode: int) -> None:
        """Remember nothing: states do."""

    def __call__(self, step: Transition) -> float:
        return self.size * self.counts(step)


class Detector:
    """Asks whether steps have achieved subgoals, each step once. A step that changes nothing is not asked about.

    `answers`: truth and answer of every question, None where a reply could not be read.
    """

    def __init__(self, world: Finite, speaker: Speaker) -> None:
        self.asked = Asked(world)
        self.subgoals = narrated_world(world).subgoals
        self.speaker = speaker
        self.known: dict[tuple[State, int, State], Done] = {}
        self.answers: list[tuple[bool, bool | None]] = []

    def __call__(self, state: State, action: int, after: State) -> Done:
        step = (state, action, after)
        if state == after:
            return NOTHING
        if step not in self.known:
            questions = [self.asked.achieved(z, *step) for z in self.subgoals]
            said = self.speaker.answer(questions)
            for question, answer in zip(questions, said, strict=True):
                self.answers.append((question.truth == YES, None if answer is None else answer == YES))
            self.known[step] = frozenset(z for z, a in zip(self.subgoals, said, strict=True) if a == YES)
        return self.known[step]


def subgoals(
    world: Finite, detect: Detect, *, credit: Credit = "potential", bonus: float = 0.1
) -> tuple[Achieving, Hooks]:
    """The world that remembers what was achieved, and the credit for it.

    Settings:
        credit: potential (keeps the optimum), once or repeated (need not).
        bonus: c, what a subgoal is worth; 0 is no help, a tenth of the reward of the goal is usual.
    """
    made = Achieving(world, detect)
    extras: dict[Credit, Extra] = {
        "potential": Shaping(lambda state: bonus * len(_done(state)), world.discount),
        "once": Bonus(lambda step: len(_done(step.after)) - len(_done(step.state)), bonus),
        "repeated": Bonus(lambda step: len(detect(_inner(step.state), step.action, _inner(step.after))), bonus),
    }
    return made, Hooks(extras=[extras[credit]])


def _inner(state: State) -> State:
    return cast(tuple[State, Done], state)[0]


def _done(state: State) -> Done:
    return cast(tuple[State, Done], state)[1]
