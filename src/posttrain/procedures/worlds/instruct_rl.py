"""Language Instructed Reinforcement Learning for Human-AI Coordination (InstructRL; Hu & Sadigh, 2023).

Two players must agree on a code: one sees which number pays and says a number, the other hears it and selects one. Any
code is as good as another, so players that learned apart do not understand each other. An instruction in words makes a
prior over what the one who hears selects, and learning is drawn to the code that the instruction means:

    Q: a* = argmax_a Q(o, a) + λ log p(a | o);    PPO: loss + λ KL(π || p)

A score is what a player earns with the players of other seeds.
"""

from __future__ import annotations

from typing import Any, Literal

from posttrain.errors import ConfigError
from posttrain.learners.gain import gain
from posttrain.learners.guides.instruction import INSTRUCTION, Convention, instructed, players, with_strangers
from posttrain.learners.worlds.say_select import SaySelect
from posttrain.procedures.helping import learning, told
from posttrain.training.session import Session

Q = {"episodes": 2000, "rate": 0.1, "explore": 0.15}


def instruct_rl(
    session: Session,
    *,
    numbers: int = 5,
    speaker: str = "speaker",
    instruction: str = INSTRUCTION,
    learner: Literal["q", "ppo"] = "q",
    strength: float = 0.25,
    q: dict[str, Any] | None = None,
    batches: int = 60,
    seeds: int = 6,
) -> dict[str, float]:
    """Ask what the instruction means -> players of several seeds, with the prior and without -> play with strangers.

    Settings:
        numbers: how many numbers there are; at least 2.
        speaker: name of the role that is asked.
        instruction: what the player who hears is told; any text.
        learner: q or ppo; any of the two.
        strength: λ, the weight of the prior; 0 is none, 0.25 is the paper's for q, 0.1 suits ppo.
        q: options of learners/q_learning.py over {episodes: 2000, rate: 0.1, explore: 0.15}, for the learner q alone.
        batches: batches of 20 episodes that PPO learns from; at least 1. Q-learning reads none.
        seeds: players with the prior, and as many without; at least 2.
    """
    if seeds < 2:
        raise ConfigError(f"procedure.seeds: {seeds} player has no stranger to play with; set 2 or more")
    if learner == "ppo" and q is not None:
        raise ConfigError("procedure.q: the learner ppo reads no options of Q-learning; leave them out")
    world = SaySelect(numbers=numbers)
    prior = instructed(world, session.speaker(speaker), instruction)
    settings, names = learning({**Q, **(q or {})}), [session.seed("player", n) for n in range(seeds)]
    helped = players(world, learner, names, settings, prior, strength, batches)
    alone = players(world, learner, names, settings, {}, 0.0, batches)
    session.artefact("conventions", {"helped": _told(world, helped), "alone": _told(world, alone)})
    return told(session, gain(with_strangers(helped), with_strangers(alone)))


def _told(world: SaySelect, conventions: list[Convention]) -> list[dict[str, str]]:
    """What players do, in words."""
    return [{world.describe(s): world.actions[a] for s, a in own.items()} for own in conventions]
