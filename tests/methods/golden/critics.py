"""Golden numbers of PPO's relatives: sampled answers with a critic."""

from __future__ import annotations

from math import exp

from tests.harness.numbers import answer
from tests.methods.golden.row import batch
from tests.methods.online.group import group

# fmt: off
# A row reads as a line of a paper's example.

# Two answers of one token, rewards 3 and 1 on the reference: advantages 1 and -1 after whitening.
GOOD, BAD = group([3.0, 1.0], [1, 1])


def moved(by: float, ref_logp: float = -1.2):
    """The good and the bad answer; the policy's log-prob of the good one has moved by `by`."""
    return [answer(**GOOD.values | {"logp": [-1.2 + by], "old_logp": [-1.2], "ref_logp": [ref_logp]}),
            answer(**BAD.values | {"ref_logp": [-1.0 + ref_logp + 1.2]})]


APA = {"passes": 1, "gae.lam": 1.0}

CRITICS = (
    batch("online/apa", {**APA, "temperature": 2.0}, moved(0.2),
          metrics={"loss/policy": (0.09 + 0.25) / 2, "loss/value": (9 + 1) / 4}, loss=0.17 + 0.1 * 2.5,
          logp=[-0.3, 0.5], gradients={"value": [-0.1 * 3 / 2, -0.1 * 1 / 2]}, within=1e-7),
    batch("online/apa", APA, moved(0.2), metrics={"loss/policy": (9.8**2 + 100) / 2}, within=1e-7),
    # The reference lies 0.5 below the policy of before, and so does that of the other answer: the reward is shifted.
    batch("online/apa", {**APA, "temperature": 2.0, "anchor": "ref"}, moved(0.2, ref_logp=-1.7), within=1e-7,
          metrics={"loss/policy": ((0.7 - 0.5) ** 2 + (0.5 + 0.5) ** 2) / 2}, logp=[0.2, 1.0]),
    batch("online/awr", {"passes": 1}, moved(0.2), within=1e-7, logp=[-exp(1) / 2, -exp(-1) / 2],
          metrics={"loss/policy": (exp(1) * 1.0 + exp(-1) * 1.0) / 2}),
    batch("online/awr", {"passes": 1, "temperature": 0.5, "cap": 5.0}, moved(0.0), within=1e-7,
          logp=[-5 / 2, -exp(-2) / 2]),
)
