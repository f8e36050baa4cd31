"""Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models (Zhang et al., 2024).

BFPO: the helpfulness order of a pair and two safety labels become one ranking: safe and helpful first, unsafe and
helpful last.

    L = (s(y_w) - s(y_l) - (3/2 I_w - 1/2 I_l - α)/τ)²,    I = 1 if safe

Differs from preference/ipo in the target and in the sum over tokens. Both safe: IPO's 1/(2τ); only the second safe:
-1/τ, which reverses the order. Columns: chosen_safe, rejected_safe.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import safety_target
from posttrain.formulas.losses.scores import log_ratio, row_safety
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="bfpo", loss=Term(pairwise(safety_target, log_ratio, safe=row_safety, tau=0.01)))
