"""WPO: Enhancing RLHF with Weighted Preference Optimization (Zhou et al., 2024).

Off-policy pairs are weighted by the policy's own probability of writing them, so that they count as if they were its
samples.

    L = -min(1, w(y_w) w(y_l)) log σ(β (s(y_w) - s(y_l)))
    w(y) = exp(1/|y| Σ_t [log π(y_t) - log Σ_v π(v)²]),  no gradient

Differs from preference/dpo in the weight. The second term aligns the weights: a token drawn from the policy has about
weight 1. TRL's `use_weighting` leaves out the cut at 1.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import weighted_logistic
from posttrain.formulas.losses.scores import log_ratio, on_policy_weight
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="wpo", loss=Term(pairwise(weighted_logistic, log_ratio, weight=on_policy_weight, beta=0.1)))
