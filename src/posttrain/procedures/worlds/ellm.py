"""Guiding Pretraining in Reinforcement Learning with Large Language Models (ELLM; Du et al., 2023).

A speaker says what would make sense to do in each state. A learner is first trained to do such things, each once in an
episode, without any reward of the world; then it learns from the world's reward, beginning where the first left it.

    r_int = max_g cos(E(caption of the step), E(g)) over the goals g suggested, if above T, else 0

The learner without help has the world's reward in as many episodes, the first ones included. Words are counted where
the paper embeds sentences, and Q is a table where it is a network.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.guides.goals import Goals, at_once, pretrained
from posttrain.procedures.helping import compared, learning, world_of
from posttrain.training.session import Session


def ellm(
    session: Session,
    *,
    world: str = "cooking",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    threshold: float = 0.99,
    novel: bool = True,
    pretraining: int = 60,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask which goals make sense -> pretrain on them -> Q-learning, and without.

    Settings:
        world: name of a world that says what its steps do, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        threshold: T, the likeness above which a step has achieved a goal; 0.5 to 0.99, and 1 rewards nothing.
        novel: whether a goal pays once in an episode, true; with false the easiest one may be repeated for ever.
        pretraining: episodes without the reward of the world; at least 0.
        q: options of learners/q_learning.py, such as {episodes: 40}; null is its defaults.
        seeds: learners with help, and as many without; at least 1.
    """
    made, settings = world_of(session, world, options), learning(q)
    goals = Goals(made, session.speaker(speaker), threshold=threshold, novel=novel)
    metrics = compared(
        session,
        made,
        lambda seed: pretrained(made, goals, seed, settings, pretraining),
        lambda seed: at_once(made, seed, settings, pretraining),
        seeds,
    )
    session.artefact("reached", goals.reached)
    return metrics
