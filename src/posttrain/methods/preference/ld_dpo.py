"""Length Desensitization in Direct Preference Optimization (Liu et al., 2024).

LD-DPO: where one answer continues after the other has ended, its tokens count less, so that length itself teaches less.

    L = -log σ(β (s(y_w) - s(y_l))),    s(y) = Σ_{t<n} r_t + α Σ_{t>=n} r_t,  r_t = log π(y_t)/π_ref(y_t),
                                        n = min(|y_w|, |y_l|)

Differs from preference/dpo in α (`beyond`): 1 is DPO, 0 cuts the longer answer.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import in_common
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import token_log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="ld_dpo", loss=Term(pairwise(logistic, part(in_common, x=token_log_ratio), beta=0.1)))
