"""SimPO: Simple Preference Optimization with a Reference-Free Reward (Meng et al., 2024).

The reward is the average log-prob, which is what decoding ranks by, and the gap must exceed a margin.

    L = -log σ(β/|y_w| log π(y_w|x) - β/|y_l| log π(y_l|x) - γ)

Differs from preference/dpo: no reference, mean instead of sum, `margin` = γ (absolute, not γ/β).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, ranked, sides
from posttrain.formulas.losses.scores import mean_logp, sum_logp
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="simpo",
    loss=Term(pairwise(logistic, mean_logp, beta=2.0, margin=1.0)),
    metrics=ranked(mean_logp, "rewards/accuracies", "mean_logp/margins") | sides(sum_logp, "logps"),
)
