"""RL-VLM-F: Reinforcement Learning from Vision Language Foundation Model Feedback (Wang et al., 2024).

A vision-language model compares observations with the goal, two at a time and in two stages: what both show, then which
is nearer. A reward learns its preferences; a learner that learns from it meets new states, which are compared next.

    meet states -> compare pairs -> L = -log σ(r(s_preferred) - r(s_other)) -> learn from r anew

"No preference", and a reply that cannot be read, are left out. The speaker reads captions of the pictures; an encoder
in its place compares how well the pictures themselves fit the goal.
"""

from __future__ import annotations

from typing import Any

from posttrain.learners.q_learning import q_learning
from posttrain.learners.seeing.encoder import encoder as encoder_of
from posttrain.learners.seeing.preferences import Preference, agreement, learned_reward
from posttrain.learners.seeing.watching import learned, nearer, pairs_of, preferred, seen, values_of, visited
from posttrain.learners.world import State
from posttrain.procedures.helping import compared, learning, world_of
from posttrain.training.session import Session


def rl_vlm_f(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    encoder: str | None = None,
    margin: float = 0.02,
    goal: str = "",
    rounds: int = 3,
    queries: int = 60,
    describe: bool = True,
    members: int = 3,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Rounds of: meet states, compare pairs, fit the reward; then Q-learning on it, and on the world's own reward.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that compares captions; not asked where an encoder compares.
        encoder: folder of a CLIP model of transformers, or captions; null lets the speaker compare.
        margin: difference of two cosines below which an encoder has no preference; at least 0.
        goal: text of the goal; an empty text is the goal of the world.
        rounds: rounds of feedback; at least 1.
        queries: pairs that are compared in a round; at least 1, 40 to 50 in the paper.
        describe: true asks what both show before it asks which is nearer, as the paper does.
        members: networks of the ensemble; at least 1, 3 in the paper.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with the learned reward, and as many with the world's own; at least 1.
    """
    made, settings = world_of(session, world, options), learning(q)
    values, aim = values_of(made), goal or made.goal
    eyes = None if encoder is None else seen(made, encoder_of(encoder), aim, aim, 0.0)
    asked = session.speaker(speaker) if eyes is None else None
    pool: dict[State, None] = {}
    said: list[Preference] = []
    rewards: dict[State, float] = {}
    for n in range(rounds):
        pool |= dict.fromkeys(visited(made, rewards, session.seed("explorer", n), settings))
        pairs = pairs_of([*pool], queries, session.seed("pairs", n))
        if asked is not None:
            said += preferred(made, asked, aim, pairs, values, describe=describe)
        elif eyes is not None:
            said += nearer(eyes, pairs, margin)
        rewards = learned_reward(made, [*values], said, seed=session.seed("ensemble", n), members=members)
    session.artefact("rewards", {made.describe(state): x for state, x in rewards.items()})
    metrics = compared(
        session,
        made,
        lambda seed: learned(made, rewards, seed, settings),
        lambda seed: q_learning(made, seed, settings),
        seeds,
    )
    used = sum(p.first is not None for p in said) / len(said)
    return {**metrics, "labels/used": used, "agreement": agreement(rewards, values)}
