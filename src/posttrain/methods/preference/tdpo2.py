"""Token-level Direct Preference Optimization (Zeng et al., 2024).

TDPO2: the KL along the rejected answer is held down; that along the preferred one only sets the scale.

    L = -log σ(β (s(y_w) - s(y_l)) - αβ (D(y_l) - sg D(y_w))),    D(y) = Σ_t KL(π_ref(·|y_<t) || π(·|y_<t))

Differs from preference/tdpo1 in α and in the stopped gradient of D(y_w).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import summed
from posttrain.formulas.losses.pairs import one_sided_sequential_kl
from posttrain.formulas.losses.penalties import forward_kl
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.tdpo1 import METHOD as TDPO1

KL = part(summed, x=forward_kl)
METHOD = variant(
    TDPO1, name="tdpo2", loss=Term(pairwise(one_sided_sequential_kl, log_ratio, kl=KL, beta=0.1, alpha=0.5))
)
