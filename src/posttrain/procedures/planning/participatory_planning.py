"""Large Language Model for Participatory Urban Planning (Zhou et al., 2024).

A street is planned with its residents. In every round a circle of them is heard (fishbowl), each asking for a change;
the planner takes up one of the changes, and all vote on it. Circles rotate, so that everybody is heard equally often.

    u_r(x) = Σ_use need(r, use) max_(p: x_p = use) 1 / (1 + |home_r - p|)

One speaker plays the planner and all residents. The baseline is the plan that the discussion begins with, which gives
every use its turn. `inclusion` is the satisfaction of the group that fares worst, `best` that of the best plan of all.
"""

from __future__ import annotations

from posttrain.learners.planning.fishbowl import compared
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials
from posttrain.training.session import Session


def participatory_planning(
    session: Session,
    *,
    speaker: str = "speaker",
    residents: int = 12,
    plots: int = 5,
    size: int = 4,
    rounds: int = 6,
    seeds: int = 10,
) -> dict[str, float]:
    """Discuss and revise a plan in every town, against the plan without discussion.

    Settings:
        speaker: name of the role that is asked.
        residents: residents of a town; at least 3, for one of each group.
        plots: plots of the street; 2 to 5, for 26 changes at most.
        size: residents that are heard in a round; at least 1.
        rounds: rounds of discussion; at least 1.
        seeds: towns; at least 1.
    """
    town = {"residents": residents, "plots": plots, "size": size, "rounds": rounds}
    return finish(session, "plans", compared(session.speaker(speaker), trials(session, seeds), **town))
