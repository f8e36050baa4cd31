"""Large Language Models As Evolution Strategies (Lange et al., 2024).

EvoLLM: a language model is the recombination of an evolution strategy. It reads the best members of the last
generations as integers, from the worst to the best, behind them a fitness that nobody has reached, and completes the
integers: the next mean. The population is drawn around it.

    x_i = m + σ ε_i,    ε_i ~ N(0, I);    m' = model(members from the worst to the best, a better fitness)

Where the reply cannot be read the mean stays. Coordinates are asked for in blocks. `recombine: weighted` asks no model:
the canonical strategy that it is compared with. A script that is right says the integers of the weighted mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Literal

from posttrain.procedures.recombining import Recombination
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated, Proposed
from posttrain.search.evolution.course import Ask, Strategy
from posttrain.search.evolution.strategies.generations import generations
from posttrain.search.prompts.discretised import Grid
from posttrain.search.prompts.functions import FUNCTIONS
from posttrain.training.session import Session


def evollm(
    session: Session,
    *,
    function: Literal["sphere", "rosenbrock", "rastrigin"] = "sphere",
    dimensions: int = 2,
    start: float = 2.0,
    rounds: int = 20,
    population: int = 8,
    sigma: float = 0.2,
    remember: int = 5,
    members: int = 5,
    low: float = -3.0,
    high: float = 3.0,
    bins: int = 1000,
    block: int = 2,
    recombine: Literal["model", "weighted"] = "model",
    writer: str = "speaker",
) -> dict[str, float]:
    """Generations of: ask for the next mean -> draw a population around it -> evaluate.

    Settings:
        function: name of what is minimised: sphere, rosenbrock or rastrigin.
        dimensions: numbers of a solution; at least 1, 2 to 10 in the paper.
        start: each number of the first mean; any number from low to high.
        rounds: generations; at least 1.
        population: members of a generation; at least 1, 4 to 16 in the paper.
        sigma: σ, standard deviation of a member; above 0, and far below high - low.
        remember: generations that the model reads; at least 1, 5 in the paper.
        members: best members of each of them; at least 1, 5 in the paper.
        low: least number of the grid; any below high.
        high: largest number of the grid; any above low.
        bins: integers of the grid; at least 2, 100 to 1000 is usual.
        block: coordinates that are asked for at once; at least 1.
        recombine: name of who gives the next mean: model, or weighted (the weighted mean of the better half).
        writer: name of the model that completes integers; any of `models`, or policy.
    """
    f, first = FUNCTIONS[function], (start,) * dimensions
    how = Recombination(session, writer, Grid(low, high, bins), remember, members, block, recombine == "model")

    def write(asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        mean = how.mean(archive, first)
        for a in asks:
            x = how.member(mean, sigma, a.number)
            yield Proposed(json.dumps(x), f"generation {archive.rounds + 1}", more={"mean": mean})

    def evaluate(new: Sequence[Candidate]) -> Iterator[Evaluated]:
        for c in new:
            yield Evaluated(-f(json.loads(c.text or "")))

    archive = session.evolve("evollm", Strategy(generations, rounds=rounds, population=population), write, evaluate)
    mean = how.mean(archive, first)
    session.artefact("solution", {"mean": mean, "fitness": f(mean), "best": archive.best and archive.best.text})
    return archive.metrics(archive.rounds) | {"mean_fitness": -f(mean)}
