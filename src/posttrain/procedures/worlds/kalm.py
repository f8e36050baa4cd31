"""KALM: Knowledgeable Agents by Offline Reinforcement Learning from Large Language Model Rollouts (Pang et al., 2024).

Real rollouts reach a few goals of a grid; for each of the others a speaker imagines rollouts in words. Those that are
not plausible are dropped, and offline Q-learning turns the others into a policy of their goal.

    Q_g(s, a) = r_g(s') + γ max_(a' in data(s')) Q_g(s', a')

The baseline walks to a new goal by the policy of the nearest goal that was tried, which also decides where nothing was
imagined. `grounding` makes the texts that the paper fine-tunes its model on: an artefact here, for imitation/sft.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.imagined import compared, grounding
from posttrain.learners.worlds.goal_grid import GoalGrid
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def kalm(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    tried: int = 6,
    rollouts: int = 8,
    imagined: int = 8,
    seeds: int = 3,
) -> dict[str, float]:
    """Imagine rollouts to new goals -> offline learning with them and without, in the world goal_grid.

    Settings:
        options: settings of the world goal_grid; null is its defaults.
        speaker: name of the role that is asked.
        tried: goals with real rollouts; at least 1.
        rollouts: real rollouts to each of them; at least 1.
        imagined: rollouts that are imagined to each other goal; at least 1.
        seeds: choices of the goals that were tried; at least 1.
    """
    world = cast(GoalGrid, world_of(session, "goal_grid", options))
    session.artefact("grounding", grounding(world, session.seed("grounding")))
    how = {"tried": tried, "rollouts": rollouts, "imagined": imagined}
    return finish(session, "rollouts", compared(world, session.speaker(speaker), trials(session, seeds), **how))
