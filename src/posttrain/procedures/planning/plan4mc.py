"""Plan4MC: Skill Reinforcement Learning and Planning for Open-World Minecraft Tasks (Yuan et al., 2023).

A speaker says once what every skill consumes, requires and makes. A depth-first search in this graph turns the wanted
item into a list of skills; its first skill is used, and the search begins again from what is owned then.

    acquire(item): its skill, and before that what it consumes, then its tools, then what must be nearby

Where the graph has no plan, skills are drawn in proportion to their affordances, which is the baseline. `right` is the
share of skills that the speaker described rightly. The paper trains its skills by PPO; these are tables.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.graph_planner import compared
from posttrain.learners.worlds.crafting import Crafting
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def plan4mc(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    most: int = 12,
    practice: int = 400,
    seeds: int = 20,
) -> dict[str, float]:
    """Practise skills, ask for their graph -> plans against affordances alone, in the world crafting.

    Settings:
        options: settings of the world crafting; null is its defaults.
        speaker: name of the role that is asked.
        most: skills of an episode, at most; at least 1, of which 8 are needed.
        practice: episodes of practice of each skill; at least 1.
        seeds: episodes of each planner; at least 1.
    """
    world = cast(Crafting, world_of(session, "crafting", options))
    asked = session.speaker(speaker)
    return finish(session, "graph", compared(world, asked, trials(session, seeds), most=most, practice=practice))
