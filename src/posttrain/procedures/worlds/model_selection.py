"""Efficient Sequential Decision Making with Large Language Models (Chen et al., 2024).

A master chooses in every round between a speaker, who knows much at once and learns nothing, and a bandit, who begins
with nothing. It learns from importance-weighted losses by mirror descent with the log barrier, and shifts its trust.

    1 / p'_i = 1 / p_i + η (ℓ [i drawn] / p_i - λ),    Σ p'_i = 1

The baseline is the bandit alone. `calls` is the share of rounds in which the speaker acted, `trust/first` and
`trust/last` its probability in the first and the last tenth of the rounds; the artefact holds it for every round.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.model_selection import compared
from posttrain.learners.worlds.recommendation import Recommendation
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def model_selection(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    rounds: int = 1000,
    rate: float = 0.5,
    least: float = 0.05,
    share: bool = True,
    seeds: int = 5,
) -> dict[str, float]:
    """Play rounds with a master over speaker and bandit, and with the bandit alone, in the world recommendation.

    Settings:
        options: settings of the world recommendation; null is its defaults.
        speaker: name of the role that is asked.
        rounds: rounds of a game; at least 10.
        rate: learning rate of the master; above 0, 0.05 to 1 is usual.
        least: share of the probability that is spread evenly; above 0 to 1.
        share: whether the bandit learns from rounds of the speaker too; true or false.
        seeds: games of each; at least 1.
    """
    world = cast(Recommendation, world_of(session, "recommendation", options))
    asked = session.speaker(speaker)
    made = compared(world, asked, trials(session, seeds), rounds=rounds, rate=rate, least=least, share=share)
    return finish(session, "trust", made)
