"""Vision-Language Models are Zero-Shot Reward Models for Reinforcement Learning (Rocamonde et al., 2023).

The reward of a state is how well its picture fits a text of the goal, in the space of an encoder of both. Regularised
by a baseline, a text of what is always there, only the way from the baseline to the goal counts.

    R(s) = 1 - ½ |α proj_L(s) + (1 - α) s - g|²;    α = 0: R(s) = s·g

The learner gets R - 1, which is at most 0: where episodes end, the paper's reward would make an end a loss.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.q_learning import q_learning
from posttrain.learners.seeing.encoder import encoder as encoder_of
from posttrain.learners.seeing.preferences import agreement
from posttrain.learners.seeing.watching import learned, seen, values_of
from posttrain.procedures.helping import compared, learning, world_of
from posttrain.training.session import Session


def vlm_rm(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    encoder: str = "captions",
    goal: str = "",
    baseline: str = "nothing has been done yet",
    alpha: float = 0.5,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Encode every state and the goal -> Q-learning on how well they fit, and on the world's own reward.

    Settings:
        world: name of a world, or ./mine.py; one that can be drawn, for CLIP.
        options: settings of the world; null is its defaults.
        encoder: folder of a CLIP model of transformers; captions is a stand-in that reads captions and needs no model.
        goal: text of how it looks when the goal is reached; an empty text is the goal of the world.
        baseline: text of what is always there; not read with alpha 0.
        alpha: α, how far only the way from the baseline to the goal counts; 0 to 1, 0.5 is usual.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with this reward, and as many with the world's own; at least 1.
    """
    made, settings = world_of(session, world, options), learning(q)
    rewards = seen(made, encoder_of(encoder), goal or made.goal, baseline, alpha)
    session.artefact("rewards", {made.describe(state): x for state, x in rewards.items()})
    metrics = compared(
        session,
        made,
        lambda seed: learned(made, rewards, seed, settings),
        lambda seed: q_learning(made, seed, settings),
        seeds,
    )
    return {**metrics, "agreement": agreement(rewards, values_of(made))}
