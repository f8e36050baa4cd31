"""Reward Design with Language Models (Kwon et al., 2023).

A speaker reads an objective and how an episode ended, and says whether the objective was met. The label is the reward
that Q-learning learns from; the world's own reward is hidden, and says only how good the labels and the learner are.

    R = 1[yes] at the end of an episode;    labels that are wrong with probability e: E[R] = (1 - 2e) R* + e
"""

from __future__ import annotations

from statistics import fmean
from typing import Any

from posttrain.learners.guides.proxy import Proxy, Unrewarded, reached
from posttrain.learners.q_learning import Hooks, Learned, q_learning
from posttrain.procedures.helping import compared, learning, world_of
from posttrain.training.session import Session


def proxy_reward(
    session: Session,
    *,
    world: str = "matrix_game",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    objective: str = "",
    examples: str = "",
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask whether the objective was met at each end -> Q-learning on the labels, and without any reward.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        objective: text of what an episode should come to; an empty text is the goal of the world.
        examples: text with labelled outcomes that the speaker reads before each question; an empty text is zero-shot.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with labels, and as many without; at least 1.
    """
    made, settings = world_of(session, world, options), learning(q)
    proxy = Proxy(made, session.speaker(speaker), objective=objective, examples=examples)

    def labelled(seed: int) -> Learned:
        return q_learning(made, seed, settings, Hooks(extras=[proxy]))

    def unrewarded(seed: int) -> Learned:
        return q_learning(made, seed, settings, Hooks(extras=[Unrewarded()]))

    metrics = compared(session, made, labelled, unrewarded, seeds)
    agents = [reached(made, labelled(session.seed("learner", n))) for n in range(seeds)]
    return {**metrics, **proxy.report(), "reached": fmean(agents)}
