"""Enhancing Q-Learning with Large Language Model Heuristics (Wu, 2024).

A speaker names the best action of every state; Q-learning begins with a heuristic value for it and is drawn towards it
for a while. The optimum stays that of Q-learning.

    Q(s, a) ← Q(s, a) + w_t (h(s, a) - Q(s, a)) beside the update of Q-learning, w_t → 0

The paper regresses a network on the heuristic before it learns; here a table starts there, which is its limit.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.guides.heuristic import heuristic
from posttrain.procedures.helping import with_hooks, world_of
from posttrain.training.session import Session


def guided_q(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    value: float = 0.5,
    weight: float = 0.1,
    until: int = 20,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask for the best actions -> Q-learning from the heuristic, and without.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        value: heuristic value of an action that is named; 0.1 to 1 times the best return.
        weight: how strongly Q is drawn towards it in the first episode; 0 to 1.
        until: episode from which on Q is drawn no more; at least 0.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with help, and as many without; at least 1.
    """
    made = world_of(session, world, options)
    hooks = heuristic(made, session.speaker(speaker), value=value, weight=weight, until=until)
    return with_hooks(session, made, hooks, q, seeds)
