"""Enhancing Q-Learning with Large Language Model Heuristics (Wu, 2024).

A speaker names an action in some states; Q begins with a heuristic value for it, and is drawn towards that value for a
while. What it says wrongly costs exploration, and nothing else:

    Q(s, a) ← Q(s, a) + w_t (h(s, a) - Q(s, a)),    w_t = w (1 - t / t0) for t < t0, else 0

With w_t = 0 from t0 on the updates are those of Q-learning, whose fixed point does not depend on where Q begins.
"""

from __future__ import annotations

from posttrain.learners.q_learning import Hooks
from posttrain.learners.questions import Asked
from posttrain.learners.speaker import Speaker
from posttrain.learners.world import State, World


def heuristic(world: World, speaker: Speaker, *, value: float = 1.0, weight: float = 0.1, until: int = 20) -> Hooks:
    """Ask for the best action of every state.

    Settings:
        value: h of the action that is named; the best return, or a little less.
        weight: w of the first episode; 0 (Q only begins there) to 1.
        until: t0, the episode from which on Q is drawn no more; at least 0.
    """
    asked = Asked(world)
    states = asked.states()
    said = dict(zip(states, speaker.answer([asked.which(state) for state in states]), strict=True))

    def told(state: State) -> list[float | None]:
        return [value if action == said.get(state) else None for action in world.actions]

    def pull(state: State, episode: int) -> tuple[list[float | None], float]:
        return told(state), weight * max(0.0, 1 - episode / until) if until else 0.0

    return Hooks(start=lambda state: [h or 0.0 for h in told(state)], pull=pull)
