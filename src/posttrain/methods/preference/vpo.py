"""Value-Incentivized Preference Optimization: A Unified Approach to Online and Offline RLHF (Cen et al., 2024).

VPO, offline: among the rewards that explain the preferences, one whose optimal value is low. Calibrated to 0 on the
preferred answers, that value is -β times their mean log-ratio.

    L = -log σ(β (s(y_w) - s(y_l))) - αβ s(y_w)

Differs from preference/dpo in the second term (`pessimism.weight` = αβ), up to a constant the NLL of the preferred
answers. With the other sign, on samples of the reference, it is the online form: online/xpo.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, minus_first
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="vpo",
    loss={
        "preference": Term(pairwise(logistic, log_ratio, beta=0.1)),
        "pessimism": Term(pairwise(minus_first, log_ratio), 0.01),
    },
)
