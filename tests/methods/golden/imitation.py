"""Golden numbers of the methods on demonstrations."""

from __future__ import annotations

from math import exp

from tests.harness.numbers import answer
from tests.methods.golden.row import batch

# fmt: off
# A row reads as a line of a paper's example.

LONG, SHORT = answer(logp=[-1.0, -2.0, -3.0], entropy=[0.5, 0.7, 0.9]), answer(logp=[-4.0], entropy=[1.5])
THREE = [
    answer(logp=[-1.0, -2.0], ref_logp=[-1.25] * 2, reward=1.0, rank=0, group=0),
    answer(logp=[-4.0], ref_logp=[-1.0], reward=0.0, rank=1, group=0),
    answer(logp=[-0.5, -0.5, -1.0], ref_logp=[-1.0] * 3, reward=0.5, rank=2, group=0),
]
VAR = [exp(0.7 * ref + r / 0.5) for ref, r in [(-2.5, 1.0), (-1.0, 0.0), (-3.0, 0.5)]]  # π_ref^prior exp(r/temperature)

IMITATION = (
    batch("imitation/sft", answers=[LONG, SHORT], loss=2.5, logp=[-0.25, -0.25], metrics={"entropy": 0.9}),
    batch("imitation/sft", {"loss.reduce": "sequence_mean"}, [LONG, SHORT], loss=3.0, logp=[-1 / 6, -0.5]),
    batch("imitation/sft", {"loss.reduce": "sequence_sum"}, [LONG, SHORT], loss=5.0),
    # Log-ratios 0.5, -1, 0 against rewards of 1, -1, 3 at β = 2
    batch("imitation/inverse_q", {"beta": 2.0},
          [answer(logp=[-1.0, -2.0, -0.5], ref_logp=[-1.5, -1.0, -0.5], token_reward=[1.0, -1.0, 3.0])],
          loss=0.0**2 + 0.5**2 + 1.5**2, logp=[[0.0, -1.0, -3.0]]),
    batch("imitation/var", {"temperature": 0.5, "prior": 0.7}, THREE,
          loss=(3 * VAR[0] + 4 * VAR[1] + 2 * VAR[2]) / sum(VAR), logp=[-v / sum(VAR) for v in VAR]),
)
