"""Text2Reward: Reward Shaping with Language Models for Reinforcement Learning (Xie et al., 2023).

A speaker reads the goal, the fields of a state and the actions, and writes a dense reward as a program. An error goes
back to it; a program that works trains a learner, and what the learner does goes back to it.

    write -> run -> repair -> train -> watch -> rewrite

One round is the zero-shot program of the paper. A critic, a person or a model, may say what it saw.
"""

from __future__ import annotations

from typing import Any

from posttrain.procedures.programming import finished, reward_search
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.refine import refine
from posttrain.training.session import Session


def text2reward(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    rounds: int = 2,
    repairs: int = 3,
    critic: str | None = None,
    sandbox: str = "auto",
    numpy: bool = False,
    seconds: float = 3.0,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Write -> repair -> train -> rewrite, then compare with the sparse reward.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that writes programs.
        rounds: programs that work, each made of the one before; at least 1, and 1 is zero-shot.
        repairs: rewrites in a row of a program that does not work; at least 0.
        critic: name of the role that says what to change; null is nobody.
        sandbox: name of the sandbox of programs: auto, bubblewrap, landlock, wasm or none.
        numpy: true lets programs use numpy, which bubblewrap alone can hold.
        seconds: time of a program for all steps of the world; above 0, 1 to 10 is usual.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with the best program, and as many without; at least 1.
    """
    how: dict[str, Any] = {"sandbox": sandbox, "numpy": numpy, "seconds": seconds, "critic": critic}
    search = reward_search(session, world, options, q, speaker, **how)
    archive = session.evolve(
        "text2reward", Strategy(refine, rounds=rounds, repairs=repairs), search.write, search.evaluate
    )
    return finished(session, search, archive, seeds)
