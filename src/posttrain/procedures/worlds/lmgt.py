"""LMGT: Optimizing Exploration-Exploitation Balance in Reinforcement Learning through Language Model Guided Trade-offs
(Deng et al., 2024).

A speaker rates every action as good, neutral or bad, and the reward that Q-learning learns from is shifted by the
rating. The shift fades, because one that stays may change the optimum.

    r'(s, a) = r(s, a) + c_t δ(s, a),    δ = 1, 0, -1,    c_t = c max(0, 1 - t / t0)
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.guides.shift import shift
from posttrain.procedures.helping import with_hooks, world_of
from posttrain.training.session import Session


def lmgt(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    size: float = 0.1,
    until: int = 50,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask for the rating of every action -> Q-learning with the shifted reward, and without.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        size: shift of an action that is good; 0 is none, a tenth of the reward of the goal is much.
        until: episode from which on nothing is shifted; 0 shifts to the end.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with help, and as many without; at least 1.
    """
    made = world_of(session, world, options)
    hooks = shift(made, session.speaker(speaker), size=size, until=until)
    return with_hooks(session, made, hooks, q, seeds)
