"""SayCanPay: Heuristic Planning with Large Language Models using Learnable Domain Knowledge (Hazra et al., 2023).

SayCan for whole plans: an expert's episodes teach what is possible and what pays, and a beam looks for the plan with
the best score. The baseline plans by what is possible and what pays alone.

    score = mean_t log(p_say c_can f_pay),    can: -log(p₊ / (p₊ + p₋ + p_random)),    f_pay = δ^(skills still to come)

The payoff is counted from that of the best skill of a state. The paper multiplies over the steps of a plan; the mean
keeps a plan from winning by being short. A beam of 1 is the greedy choice.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.say_can_pay import compared
from posttrain.learners.worlds.crafting import Crafting
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def say_can_pay(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    experts: int = 4,
    width: int = 3,
    most: int = 12,
    practice: int = 400,
    seeds: int = 10,
) -> dict[str, float]:
    """Learn from an expert -> plans with the speaker against plans without, in the world crafting.

    Settings:
        options: settings of the world crafting; null is its defaults.
        speaker: name of the role that is asked.
        experts: episodes of the expert; at least 1.
        width: plans of the beam; at least 1, which is greedy.
        most: skills of a plan, at most; at least 1, of which 8 are needed.
        practice: episodes of practice of each skill; at least 1.
        seeds: experts, and plans by each planner; at least 1.
    """
    world = cast(Crafting, world_of(session, "crafting", options))
    how = {"experts": experts, "width": width, "most": most, "practice": practice}
    return finish(session, "plans", compared(world, session.speaker(speaker), trials(session, seeds), **how))
