"""Policy Invariance under Reward Transformations: Theory and Application to Reward Shaping (Ng et al., 1999).

A potential φ of the states, here how near the goal a speaker finds them, shapes the reward:

    r'(s, a, s') = r + γ φ(s') - φ(s),    φ(end) = 0

Over an episode the shaping adds up to -φ(s_0), so Q'(s, a) = Q(s, a) - φ(s): no policy gains by it, whatever φ is.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from posttrain.learners.q_learning import Hooks, Transition
from posttrain.learners.questions import GRADES, Asked
from posttrain.learners.speaker import Speaker
from posttrain.learners.world import State, World


class Shaping:
    """An extra reward of the difference of a potential."""

    def __init__(self, potential: Callable[[State], float], discount: float) -> None:
        self.potential = potential
        self.discount = discount

    def begin(self, state: State, episode: int) -> None:
        """Remember nothing: the shaping of a step depends on the step alone."""

    def __call__(self, step: Transition) -> float:
        after = 0.0 if step.done else self.potential(step.after)
        return self.discount * after - self.potential(step.state)


def potential(world: World, speaker: Speaker, *, scale: float = 1.0) -> Hooks:
    """Ask how near the goal every state is, from 1 to 5; φ = scale · grade / 5.

    Where a reply cannot be read φ is the mean of the others: the state neither draws nor repels.

    Settings:
        scale: φ of a state that is one step from the goal; 0 is no help, the best return is natural.
    """
    asked = Asked(world)
    states = asked.states()
    grades = speaker.answer([asked.grade(state) for state in states])
    read = [scale * int(g) / len(GRADES) for g in grades if g is not None]
    unread = fmean(read) if read else 0.0
    near = {s: unread if g is None else scale * int(g) / len(GRADES) for s, g in zip(states, grades, strict=True)}
    return Hooks(extras=[Shaping(lambda state: near.get(state, 0.0), world.discount)])
