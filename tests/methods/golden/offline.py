"""Golden numbers of the methods on answers and rewards of the data."""

from __future__ import annotations

from math import log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch

# fmt: off
# A row reads as a line of a paper's example.

ONE = [answer(logp=[-1.0, -2.0], ref_logp=[-1.0, -3.0], value=[0.2, 9.0], reward=1.0)]  # log-ratio 1, V = 0.2
FLAT = [[0.0] * 9] * 2  # Q of nine tokens at two places

OFFLINE = (
    # d loss / d log π = -(r - V - τ s) and d loss / d V the same
    batch("offline/dro", {"tau": 0.5}, ONE, loss=0.045 / 0.5 + 0.045, logp=[-0.3], gradients={"value": [[-0.3, 0]]}),
    batch("offline/dro", {"tau": 0.25}, ONE, loss=0.55**2 / 0.5 + 0.55**2 / 2, logp=[-0.55],
          gradients={"value": [[-0.55, 0]]}),
    # Q = V = 0, so what is left are the rewards, ln 9 and the negative log-likelihood.
    batch("offline/ilql",
          answers=[answer(logp=[-1.0, -3.0], q1=FLAT, q2=FLAT, value=[0.0, 0.0], reward=r) for r in (2.0, 1.0, 0.0)],
          loss=2 * 5 / 6 + 0.2 * log(9) + 2,
          metrics={"loss/q1": 5 / 6, "loss/q2": 5 / 6, "loss/conservative1": log(9), "loss/value": 0,
                   "loss/imitation": 2.0}),
)
