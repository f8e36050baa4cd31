"""MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs (Jiang et al., 2024): what failures cost.

Workers fail independently. A failure loses the work since the last checkpoint and the time of a restart. The slowest
worker sets the pace of a step. The interval that loses the least is close to Young's √(2 C M / n) (C: seconds of a
checkpoint, M: mean seconds between failures of one worker, n: workers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Weather:
    """What happens to a worker: mean seconds between its failures, seconds of a restart, and how it varies.

    `jitter`: standard deviation of the logarithm of a worker's step time. `slow`: share of workers that are stragglers,
    which take `factor` times as long.
    """

    between_failures: float
    restart: float
    jitter: float = 0.0
    slow: float = 0.0
    factor: float = 1.5


@dataclass(frozen=True)
class Course:
    """What became of a run: seconds in all, failures, and the workers that a timeline shows as stragglers."""

    seconds: float
    failures: int
    stragglers: tuple[int, ...]
    useful: float

    @property
    def goodput(self) -> float:
        """Share of the time that went into steps that counted, at the pace of workers that are all alike."""
        return self.useful / self.seconds


def young(checkpoint: float, weather: Weather, workers: int) -> float:
    """Seconds between checkpoints that lose the least, by Young's formula."""
    return math.sqrt(2 * checkpoint * weather.between_failures / workers)


def simulated(
    workers: int, steps: int, step: float, weather: Weather, *, every: float, checkpoint: float, seed: int
) -> Course:
    """Simulate a run of `steps` steps of `step` seconds with a checkpoint whenever `every` seconds of work are done."""
    chance = Random(seed)  # noqa: S311 -- a simulation, not a secret
    paces = [math.exp(chance.gauss(0, weather.jitter)) for _ in range(workers)]
    slow = set(chance.sample(range(workers), round(weather.slow * workers)))
    paces = [pace * weather.factor if worker in slow else pace for worker, pace in enumerate(paces)]
    pace = step * max(paces)
    rate, clock, done, failures = workers / weather.between_failures, 0.0, 0, 0
    block = max(1, round(every / pace))
    failing = chance.expovariate(rate)
    while done < steps:
        size = min(block, steps - done)
        end = clock + size * pace + checkpoint
        if failing < end:  # what was done since the last checkpoint is lost
            failures += 1
            clock = failing + weather.restart
            failing = clock + chance.expovariate(rate)
            continue
        clock, done = end, done + size
    return Course(clock, failures, stragglers(paces), steps * step)


def stragglers(paces: list[float], apart: float = 1.2) -> tuple[int, ...]:
    """The workers that take more than `apart` times the median."""
    middle = sorted(paces)[len(paces) // 2]
    return tuple(worker for worker, pace in enumerate(paces) if pace > apart * middle)
