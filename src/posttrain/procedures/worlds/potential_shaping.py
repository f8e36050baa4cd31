"""Policy Invariance under Reward Transformations: Theory and Application to Reward Shaping (Ng et al., 1999).

A speaker says how near the goal every state is, from 1 to 5, and the reward that Q-learning learns from is shaped by
this potential. However wrong it is, the best policy stays the best.

    r'(s, a, s') = r + γ φ(s') - φ(s),    φ(end) = 0
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.guides.potential import potential
from posttrain.procedures.helping import with_hooks, world_of
from posttrain.training.session import Session


def potential_shaping(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    scale: float = 1.0,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask how near the goal is -> Q-learning with the shaped reward, and without.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        scale: potential of a state one step from the goal; 0 is none, the best return is natural.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with help, and as many without; at least 1.
    """
    made = world_of(session, world, options)
    hooks = potential(made, session.speaker(speaker), scale=scale)
    return with_hooks(session, made, hooks, q, seeds)
