"""How Can LLM Guide RL? A Value-Based Approach (LINVIT; Zhang et al., 2024).

A speaker says how probable each action is that it would take. A learner plans on what it has seen, optimistic
about what it has seen little of, and pays λ times the KL from the speaker's policy p:

    V(s) = λ log Σ_a p(a | s) exp(Q(s, a) / λ),    π(a | s) ∝ p(a | s) exp(Q(s, a) / λ)

The learner without help plans optimistically without a prior.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from posttrain.learners.linvit import linvit as plan
from posttrain.learners.questions import Asked, prior
from posttrain.procedures.helping import compared, world_of
from posttrain.training.session import Session


def linvit(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    strength: float = 0.3,
    bonus: float = 0.02,
    highest: float = 1.0,
    episodes: int = 30,
    horizon: int = 100,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask for the probabilities of actions -> plan with the KL to them, and without.

    Settings:
        world: name of a world whose states can be listed, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        strength: λ of the first episode; 0 is no prior, a third of the best return is much.
        bonus: how optimistic what was seen a few times is; 0 to 1.
        highest: the best return there can be; above 0.
        episodes: episodes of each learner; at least 1.
        horizon: steps after which an episode is cut; at least 1.
        seeds: learners with help, and as many without; at least 1.
    """
    made = world_of(session, world, options)
    said = prior(made, session.speaker(speaker), Asked(made).states())
    learn = partial(plan, made, strength=strength, bonus=bonus, highest=highest, episodes=episodes, horizon=horizon)
    return compared(session, made, partial(learn, prior=said), partial(learn, prior=None), seeds)
