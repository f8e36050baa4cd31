"""Golden numbers of the methods that write prompts for other models."""

from __future__ import annotations

from tests.harness.numbers import answer
from tests.methods.golden.row import batch

# fmt: off
# A row reads as a line of a paper's example.

# Two prompts for the same examples, of two tokens and of one. Rewards 3 and 1 are 1 and -1 deviations from their mean.
# The moving average is where the writer is.
TWO = [
    answer(logp=[-1.0, -2.0], level=[3.0, 1.0], reward=3.0, group=0),
    answer(logp=[-0.5], level=[0.5], reward=1.0, group=0),
]
R = 2.0 / (1 + 1e-4)  # of the first prompt, with a scale of 2; that of the second is -R
# A - (V_2 - V_1) = 1,  A - (R - V_2) = -1 - R,  -0.5 - (-R - 0.5) = R;  Σ A - (R - V) = -R, -1 - R, R
ONE_STEP, MULTI_STEP = (1 + (1 + R) ** 2 + R**2) / 2, (R**2 + (1 + R) ** 2 + R**2) / 2

PROMPTS = (
    batch("online/rlprompt", {"scaled_standardise.scale": 2.0, "multi_step.weight": 0, "values_one_step.weight": 0,
                              "values_multi_step.weight": 0}, TWO,
          loss=ONE_STEP / 4, logp=[[1 / 4, (-1 - R) / 4], [R / 4]], values={"scaled_reward": [R, -R]}),
    batch("online/rlprompt", {"scaled_standardise.scale": 2.0}, TWO,
          loss=(ONE_STEP + MULTI_STEP) / 2, metrics={"loss/one_step": ONE_STEP, "loss/values_multi_step": MULTI_STEP},
          logp=[[(1 - R) / 4, (-1 - R - R - 1 - R) / 4], [2 * R / 4]],
          gradients={"level": [[(1 - R) / 4, (-1 - 1 - R - 1 - R) / 4], [2 * R / 4]]}),
)
