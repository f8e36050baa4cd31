"""REvolve: Reward Evolution with Large Language Models using Human Feedback (Hazra et al., 2024).

Populations of programs that say what a step earns evolve apart. A speaker changes one program or crosses two. A
judge, a person or a model, compares how their learners behave, and the Elo ratings that come of it are the fitness.

    R ← R + 32 (S - 1 / (1 + 10^((R' - R) / 400)));    P(parent) ∝ exp(R in [0, 1]);    enters ⇔ F ≥ mean of its island

Without a judge the fitness is the return (REvolve-auto); with one island and `crossover: 0` too, it is close to Eureka.
"""

from __future__ import annotations

from typing import Any

from posttrain.procedures.programming import finished, reward_search
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.islands import islands
from posttrain.training.session import Session


def revolve(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    judge: str | None = None,
    generations: int = 7,
    count: int = 4,
    children: int = 4,
    size: int = 8,
    crossover: float = 0.5,
    migration: float = 0.3,
    matches: int = 4,
    sandbox: str = "auto",
    numpy: bool = False,
    seconds: float = 3.0,
    q: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Generations of: change or cross, train, compare; then compare the best program with the sparse reward.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that writes programs.
        judge: name of the role that compares behaviours; null takes the return as fitness.
        generations: rounds of programs; at least 1, 7 in the paper.
        count: islands; at least 1, 4 to 5 in the paper.
        children: programs for each island and generation; at least 1, 4 in the paper.
        size: members of an island, at most; at least 1, 8 in the paper.
        crossover: probability of two parents; 0 to 1, 0.5 in the paper.
        migration: probability that the weaker islands are settled anew; 0 to 1, 0.3 in the paper.
        matches: comparisons of each new program, with a judge; at least 1.
        sandbox: name of the sandbox of programs: auto, bubblewrap, landlock, wasm or none.
        numpy: true lets programs use numpy, which bubblewrap alone can hold.
        seconds: time of a program for all steps of the world; above 0, 1 to 10 is usual.
        q: options of learners/q_learning.py, such as {episodes: 200}; null is its defaults.
        seeds: learners with the best program, and as many without; at least 1.
    """
    how: dict[str, Any] = {"sandbox": sandbox, "numpy": numpy, "seconds": seconds, "judge": judge}
    search = reward_search(session, world, options, q, speaker, **how)
    sizes: dict[str, Any] = {
        "count": count,
        "children": children,
        "size": size,
        "crossover": crossover,
        "migration": migration,
    }
    rated: dict[str, Any] = {"matches": matches if judge else 0, "seed": session.seed("islands")}
    strategy = Strategy(islands, rounds=generations, **sizes, **rated)
    archive = session.evolve("revolve", strategy, search.write, search.evaluate, compare=search.compare)
    return finished(session, search, archive, seeds)
