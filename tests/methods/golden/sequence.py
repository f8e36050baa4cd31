"""Golden numbers of classic reinforcement learning on sequences."""

from __future__ import annotations

from tests.harness.numbers import answer
from tests.methods.golden.row import batch
from tests.methods.online.group import group

GREEDY = group([0.5], [1], author=1, train=False)
REFERENCES = {"demonstrations": [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]}  # sums 3 and 3: their mean is 3


def valued(reward, *values):
    """An answer of a critic that says these values."""
    same = {n: [-1.0] * len(values) for n in ("logp", "old_logp", "rollout_logp")}
    return answer(value=list(values), old_value=list(values), reward=reward, **same)


# fmt: off

SEQUENCE = (
    batch("online/scst", answers=[*group(), *GREEDY], values={"advantage": [0.5, -0.5, -0.5, 2.5, 0.0]},
          loss=(0.5 * 2 - 0.5 * 4 - 0.5 + 2.5 * 3) / 4, logp=[-0.125, 0.125, 0.125, -0.625, 0.0]),
    batch("online/scst_mixed", answers=[*group(), *GREEDY], others=REFERENCES,
          metrics={"loss/policy": 1.5, "loss/imitation": 3}, loss=0.9984 * 1.5 + 0.0016 * 3,
          logp=[-0.9984 * 0.125, None, None, -0.9984 * 0.625, 0.0],
          gradients={"demonstrations.logp": [-0.0008, -0.0008]}),
    # Rewards 1, 0, 0, 3: their mean is 1, the answer's own reward included.
    batch("online/gnmt", answers=group(), others=REFERENCES, values={"advantage": [0.0, -1.0, -1.0, 2.0]},
          loss=(0 - 4 - 1 + 6) / 4 + 0.017 * 3, logp=[0.0, 0.25, 0.25, -0.5],
          gradients={"demonstrations.logp": [-0.0085, -0.0085]}),
    batch("online/a2c", answers=[valued(1.0, 0.5, 0.25)], values={"advantage": [[0.5, 0.75]]},
          loss=0.5 + 0.75 + 0.5 * (0.125 + 0.28125) / 2, metrics={"loss/value": (0.125 + 0.28125) / 2},
          logp=[[-0.5, -0.75]], gradients={"value": [[-0.125, -0.1875]]}),
    batch("online/a2c", {"gamma": 0.5}, [valued(1.0, 0.5, 0.25)], values={"returns": [[0.5, 1.0]],
          "advantage": [[0.0, 0.75]]}),
    # The guide writes one token of two: likelihood there, (R - V) and the critic's error at the other.
    batch("online/mixer", answers=[answer(**valued(1.0, 0.5, 0.25).values, guided=[1.0, 0.0])],
          values={"advantage": [[0.0, 0.75]]}, loss=0.75 + 1 + 0.5 * 0.28125 / 2, logp=[[-1.0, -0.75]],
          gradients={"value": [[0.0, -0.1875]]}),
)

# fmt: on
