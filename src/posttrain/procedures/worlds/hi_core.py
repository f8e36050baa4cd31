"""Hierarchical Continual Reinforcement Learning via Large Language Model (Hi-Core; Pan et al., 2024).

Three tasks come one after the other. For each a speaker writes goals: what to reach, a condition in Python that says
whether it is reached, and a reward. A learner walks through them from what it learned in the most similar task; where
that fails, the speaker hears how far it came and writes new goals. Conditions run in the sandbox alone.

    r = r_task + Σ_g r_g [g is the next goal, and s' reaches it]

The baseline learns every task from scratch. A score is the share of all episodes that reach their task. The paper's
learner is PPO; this one is Q-learning in a table.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.goals import Sandbox
from posttrain.learners.planning.policy_library import Learner, compared
from posttrain.learners.worlds.crafting import Crafting
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import learning, trials, world_of
from posttrain.training.session import Session


def hi_core(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    q: dict[str, Any] | None = None,
    revisions: int = 1,
    sandbox: Sandbox = "auto",
    seeds: int = 5,
) -> dict[str, float]:
    """Learn three tasks by goals and from a library, against each from scratch, in the world crafting.

    Settings:
        options: settings of the world crafting; null is its defaults.
        speaker: name of the role that is asked.
        q: options of learners/q_learning.py, such as {episodes: 60}; null is 60 episodes of 40 steps.
        revisions: how often the goals of a task are written anew, at most; at least 0.
        sandbox: tier in which conditions run; auto, or one of the options of the reward python_tests.
        seeds: learners of each; at least 1.
    """
    world = cast(Crafting, world_of(session, "crafting", options))
    settings = learning({"episodes": 60, "horizon": 40, "explore": 0.2, **(q or {})})
    learner = Learner(world, settings, revisions, sandbox)
    return finish(session, "library", compared(learner, session.speaker(speaker), trials(session, seeds)))
