"""Golden numbers of methods that trade a reward against constraints."""

from __future__ import annotations

import math

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def judged(*earned, kl=0.5, kl_value=0.0, value=0.0):
    """Answers of one token with rewards by name, whose log-prob is `kl` above the reference's."""
    same = {"logp": [-1.0], "old_logp": [-1.0], "rollout_logp": [-1.0], "ref_logp": [-1.0 - kl]}
    values = {"value": [kl_value], "old_value": [kl_value]}
    critics = {"value/a": [value], "old_value/a": [value], "value/b": [0.0], "old_value/b": [0.0]}
    critics |= {"value/reward": [value], "old_value/reward": [value]}
    return [answer(**same, **values, **critics, **rewards) for rewards in earned]


def sigma(x):
    return 1 / (1 + math.exp(-x))


TWO = {"components": ("a", "b"), "multiplier/a.threshold": 0.5, "multiplier/b.threshold": 0.2}
A, B = sigma(-0.1 * (1 - 0.5)), sigma(-0.1 * (0 - 0.2))
PUSH = math.tanh(1.5)
SECOND = 0.5 * 0.1 + (0.0 - 0.5)  # the second step: m v + the gap, for a reward of 0 after one of 0.6

SAME = {n: [-1.0, -1.0] for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
VALUES = {"value": [0.0, 0.0], "old_value": [0.0, 0.0], "value/reward": [0.5, 0.2], "old_value/reward": [0.5, 0.2]}
TWO_TOKENS = [answer(reward=1.0, **SAME, **VALUES)]

# fmt: off
CONSTRAINED = (
    batch("online/constrained_rlhf", TWO, judged({"reward_a": 1.0, "reward_b": 0.0}), within=1e-7,
          values={"multiplier/a": A, "multiplier/b": B, "token_reward": [[-0.5]], "credit/a": [[1]], "credit/b": [[0]],
                  "advantage": [[(1 - A) * -0.5 + A + (1 - B) * -0.5]]},
          metrics={"multiplier/a": A, "loss/value/a": 0.5}, gradients={"value/a": [[-0.1]], "value/b": [[0]]}),
    batch("online/constrained_rlhf", {"constraint": "equal", "rate": 1.0}, judged({"reward": 2.0}), within=1e-7,
          values={"multiplier/reward": -PUSH, "advantage": [[(1 + PUSH) * -0.5 - 2 * PUSH]]},
          after={"multiplier/reward": {"mu": -1.5, "step": 1.5}}, note="too much is pushed back"),
    batch("online/constrained_rlhf", {"momentum": 0.5}, judged({"reward": 0.0}), within=1e-7,
          states={"multiplier/reward": {"mu": 1.0, "step": 0.1}},
          values={"multiplier/reward": sigma(1.0 - 0.1 * SECOND)},
          after={"multiplier/reward": {"mu": 1.0 - 0.1 * SECOND, "step": SECOND}}),
    batch("online/constrained_rlhf", {"kl_weight": 2.0, "start": -1.0, "threshold": 1.0}, within=1e-7,
          answers=judged({"reward": 1.0}, kl_value=0.25, value=0.5),
          values={"token_reward": [[-1]], "multiplier/reward": sigma(-1.0), "credit": [[-1.25]],
                  "credit/reward": [[0.5]], "returns/reward": [[1]],
                  "advantage": [[-1.25 * sigma(1.0) + 0.5 * sigma(-1.0)]]},
          note="critics of their own"),
    batch("online/constrained_rlhf", {"components": ("a",), "threshold": 0.25},
          judged({"reward_a": math.nan}, {"reward_a": 0.25}), within=1e-7,
          values={"credit/a": [[0], [0.25]], "returns/a": [[0], [0.25]], "multiplier/a": 0.5},
          note="a reward that abstains is no score"),
    batch("online/constrained_rlhf", {"lam": 0.5, "gamma": 0.5, "start": 99.0}, TWO_TOKENS, within=1e-7,
          values={"credit/reward": [[0.5 * 0.2 - 0.5 + 0.25 * 0.8, 0.8]], "multiplier/reward": 1}),
)
# fmt: on
