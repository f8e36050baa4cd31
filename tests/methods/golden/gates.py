"""Golden numbers of reward models that read more than a score: gates, contrasts, prototypes, highlights."""

from __future__ import annotations

from math import exp, log

from posttrain.records import Numbers
from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def gated(scores: tuple[float, ...], gate: tuple[float, ...]):
    return answer(scores=Numbers(scores), gate=gate)


def sigma(x: float) -> float:
    return 1 / (1 + exp(-x))


# fmt: off
# A row reads as a line of a paper's example.

# Weights 3/4 and 1/4: R = 3/4 * 2 - 1/4 * 1 = 1.25 against 3/4 * 0.5 + 1/4 * 4.5 = 1.5. A weight's slope is
# g_k (r_k - R) / 2 at β = 1/2: 3/4 * 0.75 and 1/4 * -2.25, 3/4 * -1 and 1/4 * 3.
SLOPE = sigma(0.125) / 2
GATES = (
    batch("reward/gated", {"beta": 0.5},
          [gated((2.0, -1.0), (log(3), 0.0)), gated((0.5, 4.5), (log(3), 0.0))], pairs=[(0, 1)],
          loss=log(1 + exp(0.125)),
          gradients={"gate": [[-SLOPE * 0.5625, SLOPE * 0.5625], [-SLOPE * 0.75, SLOPE * 0.75]]},
          metrics={"accuracy": 0, "margin": -0.25, "score/chosen": 1.25, "score/rejected": 1.5}),
    # A cosine of 0.6 and τ = 1/2. Its slopes: (0.6, 0.8) - 0.6 (1, 0), and (1, 0) - 0.6 (0.6, 0.8) over the length 2.
    batch("reward/contrastive", {"drop": 0.0, "temperature": 0.5, "contrast.weight": 0.25},
          [answer(feature=(1.0, 0.0), score=0.5), answer(feature=(1.2, 1.6), score=-0.5)], pairs=[(0, 1)],
          loss=log(1 + exp(-1)) + 0.25 * log(1 + exp(-0.8)), metrics={"accuracy": 1, "margin": 1.0},
          gradients={"score": [-sigma(-1), sigma(-1)],
                     "feature": [[0, 0.5 * sigma(-0.8) * 0.8], [0.25 * sigma(-0.8) * x for x in (0.64, -0.48)]]}),
    # Below 1/2 are the distances 0.2 and 0.4, by 0.3 and 0.1.
    batch("reward/prototypes", {"apart.weight": 0.5},
          [answer(between=(0.2, 0.9, 0.4), score=0.5), answer(between=(0.2, 0.9, 0.4), score=-0.5)], pairs=[(0, 1)],
          loss=log(1 + exp(-1)) + 0.5 * 0.2, metrics={"accuracy": 1, "margin": 1.0},
          gradients={"score": [-sigma(-1), sigma(-1)], "between": [[-0.125, 0, -0.125]] * 2}),
    batch("reward/prototypes", {"least": 0.1},
          [answer(between=(0.2, 0.9), score=0.5), answer(between=(0.2, 0.9), score=-0.5)], pairs=[(0, 1)],
          loss=log(1 + exp(-1)), gradients={"between": [[0, 0]] * 2}, note="far enough"),
    # Gains 0.5, 1, -0.5 around 0, of which the second is praised; 1, -0.6 of which the second is blamed, 1.6 below 1.
    batch("reward/highlights", {"highlights.weight": 0.25},
          [answer(prefix_score=[0.5, 1.5, 1.0], highlight=[0.0, 2.0, 0.0], score=0.5),
           answer(prefix_score=[1.0, 0.4], highlight=[0.0, -1.0], score=-0.5)], pairs=[(0, 1)],
          loss=log(1 + exp(-1)) + 0.125 * (log(1 + exp(-1)) + log(1 + exp(-1.6))), metrics={"accuracy": 1, "margin": 1},
          gradients={"score": [-sigma(-1), sigma(-1)],
                     "prefix_score": [[-0.125 * sigma(-1) * x for x in (-1.5, 1.5, -0.5)],
                                      [0.125 * sigma(-1.6) * x for x in (-2, 1)]]}),
    # Where all is highlighted, by 1 and -3, gains are compared with 0; the other answer has no highlight.
    batch("reward/highlights", {"highlights.weight": 1.0},
          [answer(prefix_score=[0.5, 1.5], highlight=[1.0, -3.0], score=0.5),
           answer(prefix_score=[1.0, 0.4], highlight=[0.0, 0.0], score=-0.5)], pairs=[(0, 1)],
          loss=log(1 + exp(-1)) + (log(1 + exp(-0.5)) + 3 * log(1 + exp(1))) / 4 / 2,
          gradients={"prefix_score": [None, [0, 0]]}, note="all of it, or none"),
)
