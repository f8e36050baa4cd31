"""Smaug: Fixing Failure Modes of Preference Optimisation with DPO-Positive (Pal et al., 2024).

DPOP: DPO may lower the likelihood of the preferred answer as long as that of the rejected one falls faster; here that
is penalised.

    L = -log σ(β (s(y_w) - s(y_l) - λ max(0, -s(y_w))))

Differs from preference/dpo in the last term. λ is `guard`.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import guarded_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="dpop", loss=Term(pairwise(guarded_logistic, log_ratio, beta=0.1, guard=50.0)))
