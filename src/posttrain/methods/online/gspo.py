"""Group Sequence Policy Optimization (Zheng et al., 2025).

GSPO: the ratio that is clipped belongs to the whole answer, because the reward does.

    L = mean_i -min(s_i A_i, clip(s_i, 1-ε_l, 1+ε_h) A_i),   s_i = (π(y_i)/π_old(y_i))^(1/|y_i|)

Differs from online/grpo in the ratio and its narrow clip, and has no KL. The ratio is spread over the tokens with
the gradient of each (the paper's GSPO-token), which has the same value and gradient.
"""

from posttrain.core.method import SEQUENCE_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate, sequence_ratio
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="gspo",
    loss={"policy": Term(part(clipped_surrogate, ratio=sequence_ratio, low=3e-4, high=4e-4), reduce=SEQUENCE_MEAN)},
    metrics=GRPO.metrics
    | {
        "clip_ratio/region_mean": Term(
            part(clipped_share, ratio=sequence_ratio, low=3e-4, high=4e-4), reduce=SEQUENCE_MEAN
        )
    },
    minibatches=4,
)
