"""Smaug: Fixing Failure Modes of Preference Optimisation with DPO-Positive (Pal et al., 2024).

DPOP: DPO may lower the likelihood of the preferred answer as long as that of the other falls faster; here that costs.

    L = -log σ(β (s(y_w) - s(y_l) - λ max(0, -s(y_w))))

Differs from preference/dpo in the last term. λ is `guard`.
"""

from posttrain.method import Term, variant
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.objectives.pairs import guarded_logistic
from posttrain.objectives.scores import log_ratio
from posttrain.parts import pairwise

METHOD = variant(DPO, name="dpop", loss=Term(pairwise(guarded_logistic, log_ratio, beta=0.1, guard=50.0)))
