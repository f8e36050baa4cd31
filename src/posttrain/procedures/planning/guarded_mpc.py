"""Empowering Autonomous Driving with Large Language Models: A Safety Perspective (Wang et al., 2023).

A speaker reads what the passenger wants and says how to drive, which fixes the weights of a model-predictive
controller. A verifier checks the action against cars that brake at once; what it refuses goes back to the speaker with
the reason, for a bounded number of times, and then the controller chooses among the safe actions.

    u* = argmin_u J(u; w),    J = Σ_t w_speed (v_max - v_t) + w_above max(0, v_t - 1) + w_jerk |Δv_t| + w_change [lane]

The verifier has the last word, so no speaker causes a crash. The baseline drives with the usual weights behind the same
verifier.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.planning.guarded_mpc import compared
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def guarded_mpc(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    steps: int = 60,
    rounds: int = 2,
    horizon: int = 3,
    seeds: int = 5,
) -> dict[str, float]:
    """Drive by the speaker's weights and by the usual ones, in the world lane with each of its passengers.

    Settings:
        options: settings of the world lane, whose wish varies; null is its defaults.
        speaker: name of the role that is asked.
        steps: steps of a drive; at least 1.
        rounds: questions about one situation, at most; at least 1.
        horizon: steps that the controller looks ahead; 1 to 5.
        seeds: drives with each passenger; at least 1.
    """
    world_of(session, "lane", options)  # which says what is wrong with them
    how = {"steps": steps, "rounds": rounds, "horizon": horizon}
    made = compared(options or {}, session.speaker(speaker), trials(session, seeds), **how)
    return finish(session, "ways", made)
