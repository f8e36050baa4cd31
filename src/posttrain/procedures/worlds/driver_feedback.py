"""Optimizing Autonomous Driving for Safety: A Human-Centric Approach with LLM-Enhanced RLHF (Sun et al., 2024).

Sensors measure how a passenger was driven. Their readings become words, a speaker says which of two drives was liked
better, a reward is fitted to what it says, and the driver becomes the optimal policy of that reward.

    maximise Σ_pairs t log σ(w·(φ_A - φ_B)) + (1 - t) log σ(w·(φ_B - φ_A)) - |w|² / 2σ²,    t = p(A) + p(tie) / 2

A sensor that failed says nothing about its pair. The baseline is the optimal driver for speed alone. Scores are what
the passenger truly thinks of the policies, exactly. The paper trains its driver by PPO; here the table is solved.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.comfort import compared
from posttrain.learners.worlds.lane import Lane
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def driver_feedback(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    pairs: int = 40,
    steps: int = 8,
    failing: float = 0.1,
    seeds: int = 5,
) -> dict[str, float]:
    """Compare drives in words -> the driver of the fitted reward against one that likes speed, in the world lane.

    Settings:
        options: settings of the world lane; null is the wish sick.
        speaker: name of the role that is asked.
        pairs: pairs of drives that are compared; at least 1.
        steps: steps of a drive; at least 1.
        failing: probability that a sensor fails on a drive; 0 to below 1.
        seeds: sets of drives; at least 1.
    """
    world = cast(Lane, world_of(session, "lane", {"wish": "sick", **(options or {})}))
    made = compared(world, session.speaker(speaker), trials(session, seeds), pairs=pairs, steps=steps, failing=failing)
    return finish(session, "weights", made)
