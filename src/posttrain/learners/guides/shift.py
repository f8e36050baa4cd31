"""LMGT: Optimizing Exploration-Exploitation Balance in Reinforcement Learning through Language Model Guided Trade-offs
(Deng et al., 2024).

A speaker rates actions as good, neutral or bad, and the reward that is learned from is shifted by the rating:

    r'(s, a) = r(s, a) + c_t δ(s, a),    δ = 1, 0, -1,    c_t = c max(0, 1 - t / t0)

The same shift of all pairs adds c / (1 - γ) to Q where nothing ends and changes no policy; ratings that differ are no
potential and may change the optimum, so they fade. A rating that cannot be read shifts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.learners.q_learning import Hooks, Transition
from posttrain.learners.questions import BAD, GOOD, Asked
from posttrain.learners.speaker import Speaker
from posttrain.learners.world import State, World

SIGN = {GOOD: 1.0, BAD: -1.0}


class Shift:
    """An extra reward of the rating of a step, which fades. `until` 0 never fades."""

    def __init__(self, ratings: Mapping[tuple[State, int], float], size: float, until: int) -> None:
        self.ratings = ratings
        self.size = size
        self.until = until

    def begin(self, state: State, episode: int) -> None:
        """Remember nothing: the rating of a step depends on the step alone."""

    def __call__(self, step: Transition) -> float:
        left = max(0.0, 1 - step.episode / self.until) if self.until else 1.0
        return self.size * left * self.ratings.get((step.state, step.action), 0.0)


def shift(world: World, speaker: Speaker, *, size: float = 0.1, until: int = 50) -> Hooks:
    """Ask for the rating of every action of every state.

    Settings:
        size: c, the shift of a good action; 0 is no help, a tenth of the reward of the goal is much.
        until: t0, the episode from which on nothing is shifted; 0 shifts to the end, and may keep the wrong optimum.
    """
    asked = Asked(world)
    pairs = [(state, action) for state in asked.states() for action in range(len(world.actions))]
    said = speaker.answer([asked.rate(state, action) for state, action in pairs])
    ratings = {pair: SIGN.get(rating or "", 0.0) for pair, rating in zip(pairs, said, strict=True)}
    return Hooks(extras=[Shift(ratings, size, until)])
