"""Assessing the Zero-Shot Capabilities of LLMs for Action Evaluation in RL (CALM; Pignatelli et al., 2024).

A speaker says of a step whether it has achieved a subgoal of the task, and an auxiliary reward credits that step: as a
potential, which leaves the optimum as it is, or as a bonus that is paid once or each time, which need not.

    r + γ φ(s') - φ(s),    φ = c · number of subgoals achieved so far

How well the speaker detects subgoals (accuracy, precision, recall, F1) is kept beside what the learner learned.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.detection import detection
from posttrain.learners.guides.subgoals import Credit, Detector, subgoals
from posttrain.learners.q_learning import q_learning
from posttrain.procedures.helping import compared, finite_world_of, learning
from posttrain.training.session import Session


def calm(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    credit: Credit = "potential",
    bonus: float = 0.1,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask whether steps achieve subgoals -> Q-learning with credit for them, and without.

    Settings:
        world: name of a world that says what its steps do, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        credit: potential, once or repeated; any of the three, of which the first alone keeps the optimum.
        bonus: what a subgoal is worth; 0 is none, a tenth of the reward of the goal is usual.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with help, and as many without; at least 1.
    """
    made, settings = finite_world_of(session, world, options), learning(q)
    detector = Detector(made, session.speaker(speaker))
    remembering, hooks = subgoals(made, detector, credit=credit, bonus=bonus)
    metrics = compared(
        session,
        remembering,
        lambda seed: q_learning(remembering, seed, settings, hooks),
        lambda seed: q_learning(made, seed, settings),
        seeds,
    )
    found = detection(detector.answers)
    session.artefact("detection", found)
    return {**metrics, "f1": found["f1"]}
