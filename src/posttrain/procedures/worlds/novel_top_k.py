"""Optimizing Novelty of Top-k Recommendations using Large Language Models and Reinforcement Learning
(Sharma et al., 2024).

The reward of a list is a sum over its items, so that REINFORCE learns one decision of each item, recommend it or not,
and not one of all lists. A speaker says what is relevant, because nobody clicks what nobody knows.

    R = Σ_(i in list) novelty_i relevance(q, i) + click(q, i)

For additive rewards the best list is the k items with the best scores. The baseline learns from clicks alone. Scores
are what the lists are truly worth, as a share of the best lists.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.item_wise import compared
from posttrain.learners.worlds.recommendation import Recommendation
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def novel_top_k(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    k: int = 3,
    steps: int = 400,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask what is relevant -> learn lists with it and from clicks alone, in the world recommendation.

    Settings:
        options: settings of the world recommendation; null is its defaults.
        speaker: name of the role that is asked.
        k: items of a list; at least 1.
        steps: steps of REINFORCE; at least 1.
        seeds: learners of each; at least 1.
    """
    world = cast(Recommendation, world_of(session, "recommendation", options))
    made = compared(world, session.speaker(speaker), trials(session, seeds), k=k, steps=steps)
    return finish(session, "lists", made)
