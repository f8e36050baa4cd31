"""Eureka: Human-Level Reward Design via Coding Large Language Models (Ma et al., 2023).

A speaker writes many programs that say what a step earns. Each trains a learner; the program whose learner does best in
the world itself is shown to the speaker with the statistics of its components, and the next programs are made of it.

    F(program) = max over checkpoints of the return;    best ← argmax F over the best and its K rewrites

The best one is kept when its rewrites are worse, so that F never falls. One iteration is the best of K.
"""

from __future__ import annotations

from typing import Any

from posttrain.procedures.programming import finished, reward_search
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.beam import beam
from posttrain.training.session import Session


def eureka(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    iterations: int = 5,
    samples: int = 16,
    sandbox: str = "auto",
    numpy: bool = False,
    seconds: float = 3.0,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Iterations of: write, train, reflect; then compare the best program with the sparse reward.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that writes programs.
        iterations: rounds of programs; at least 1, 5 in the paper.
        samples: K, programs in a round; at least 1, 16 in the paper.
        sandbox: name of the sandbox of programs: auto, bubblewrap, landlock, wasm or none.
        numpy: true lets programs use numpy, which bubblewrap alone can hold.
        seconds: time of a program for all steps of the world; above 0, 1 to 10 is usual.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with the best program, and as many without; at least 1.
    """
    how: dict[str, Any] = {"sandbox": sandbox, "numpy": numpy, "seconds": seconds}
    search = reward_search(session, world, options, q, speaker, **how)
    archive = session.evolve(
        "eureka", Strategy(beam, rounds=iterations, branching=samples), search.write, search.evaluate
    )
    return finished(session, search, archive, seeds)
