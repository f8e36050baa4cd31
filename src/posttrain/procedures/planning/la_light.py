"""LLM-Assisted Light: Leveraging Large Language Model Capabilities for Human-Mimetic Traffic Signal Control
(Wang et al., 2024).

An agent with tools watches over a controller that Q-learning has trained on usual traffic. It looks at the crossing, in
a bounded number of calls, and names a phase with a reason. The phase replaces the controller's where the agent has seen
something unusual, an ambulance or a blocked exit, and where it is legal.

    phase = the agent's if a tool reported something unusual and the exit is free, else the controller's

The baseline is the controller behind the same rule for blocked exits. `overrides` are the steps in which the controller
was replaced, `refused` those in which the agent named what it may not.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.oversight import compared
from posttrain.learners.worlds.crossing import Crossing
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def la_light(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    steps: int = 100,
    calls: int = 4,
    practice: int = 300,
    seeds: int = 5,
) -> dict[str, float]:
    """Train a controller -> the agent over it against the controller alone, in the world crossing.

    Settings:
        options: settings of the world crossing; null is its defaults.
        speaker: name of the role that is asked.
        steps: steps of an episode; at least 1.
        calls: calls of tools in a step, at most; 0 to 4.
        practice: episodes of practice of the controller; at least 1.
        seeds: episodes of each; at least 1.
    """
    world = cast(Crossing, world_of(session, "crossing", options))
    how = {"steps": steps, "calls": calls, "practice": practice}
    made = compared(world, session.speaker(speaker), trials(session, seeds), **how)
    return finish(session, "decisions", made)
