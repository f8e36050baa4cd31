"""Golden numbers of the reward models."""

from __future__ import annotations

from math import log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def scores(chosen: float, rejected: float):
    return [answer(other=[0.0, 0.0], score=s) for s in (chosen, rejected)]


# fmt: off
# A row reads as a line of a paper's example.

REWARD = (
    batch("reward/bradley_terry", answers=scores(1.5, 0.5), pairs=[(0, 1)], loss=0.31326169,
          gradients={"score": [-0.26894142, 0.26894142]},
          metrics={"accuracy": 1, "margin": 1.0, "score/chosen": 1.5, "score/rejected": 0.5}),
    batch("reward/bradley_terry", answers=scores(0.3, 0.3), pairs=[(0, 1)], loss=log(2), metrics={"accuracy": 0.5},
          note="tie"),
    batch("reward/bradley_terry", {"margin": 1.0}, scores(1.5, 0.5), pairs=[(0, 1)], loss=log(2)),
)
