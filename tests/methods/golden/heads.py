"""Golden numbers of the reward models whose heads give several numbers."""

from __future__ import annotations

from math import exp, log, nan

from posttrain.records import Numbers
from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def rated(scores: tuple[float, ...], *attributes: float, **more: float):
    return answer(scores=scores, attributes=Numbers(attributes), **more)


# fmt: off
# A row reads as a line of a paper's example.

HEADS = (
    batch("reward/attributes", answers=[rated((1.0, 2.5), 0.0, 4.0, score=0.7), rated((3.0, 9.0), 2.5, nan, score=0.1)],
          loss=(1 + 2.25 + 0.25) / 2, gradients={"scores": [[1.0, -1.5], [0.5, 0]]},
          metrics={"error": ((1 + 1.5) / 2 + 0.5) / 2, "score": 0.4}),
    # τ = 1/4, 1/2, 3/4; u = -1, -2, -4 of the first attribute and 3, 1, 0.5 of the second
    batch("reward/quantiles", answers=[rated((1.0, 2.0, 4.0, 1.0, 3.0, 3.5), 0.0, 4.0)],
          loss=((0.75 + 1 + 1) + (0.75 + 0.5 + 0.375)) / 3, metrics={"error": (2 + 1) / 2},
          gradients={"scores": [[0.25, 1 / 6, 1 / 12, -1 / 12, -1 / 6, -0.25]]}),
    batch("reward/quantiles", answers=[rated((1.0, 2.0, 1.0, 3.0), 1.5, nan)], loss=(0.5 / 3 + 0.5 / 3) / 2,
          gradients={"scores": [[-1 / 6, 1 / 6, 0, 0]]}, metrics={"error": 0.5}, note="a missing label"),
    batch("reward/gaussian", {"floor": 1.0}, [rated((1.0, 0.5, 2.0, -0.25), 3.0, 2.5)],
          loss=2 / (exp(1) + 1) + 0.5 * log(exp(1) + 1) + 0.125 / (exp(-0.5) + 1) + 0.5 * log(exp(-0.5) + 1),
          gradients={"scores": [[
              -2 / (exp(1) + 1), exp(1) / (exp(1) + 1) * (1 - 4 / (exp(1) + 1)),
              -0.5 / (exp(-0.5) + 1), exp(-0.5) / (exp(-0.5) + 1) * (1 - 0.25 / (exp(-0.5) + 1))]]},
          metrics={"error": (2 + 0.5) / 2}),
    batch("reward/gaussian", {"floor": 1.0}, [rated((1.0, 0.5, 2.0, -0.25), 3.0, nan)],
          loss=2 / (exp(1) + 1) + 0.5 * log(exp(1) + 1), note="a missing label",
          gradients={"scores": [[-2 / (exp(1) + 1), exp(1) / (exp(1) + 1) * (1 - 4 / (exp(1) + 1)), 0, 0]]}),
)
