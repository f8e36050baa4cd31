"""Geometric-Mean Policy Optimization (Zhao et al., 2025).

GMPO: the geometric mean of the clipped ratios of an answer's tokens, which outliers move less than their mean.

    L = mean_i -A_i (Π_t ρ̂_t)^(1/|y_i|),   ρ̂_t = min(ρ_t, e^ε) where A_i > 0, max(ρ_t, e^-ε) elsewhere

Differs from online/grpo in the ratio, clips it in its logarithm and wider, and has no KL. Without the clip it is
online/gspo's ratio.
"""

from posttrain.core.method import SEQUENCE_MEAN, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.losses.policy_gradient import surrogate
from posttrain.formulas.losses.trust_regions import geometric_ratio
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="gmpo",
    loss={"policy": Term(part(surrogate, ratio=geometric_ratio), reduce=SEQUENCE_MEAN)},
    metrics=without(GRPO.metrics, "clip_ratio/region_mean"),
)
