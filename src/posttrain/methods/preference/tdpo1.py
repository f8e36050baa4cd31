"""Token-level Direct Preference Optimization (Zeng et al., 2024).

TDPO1: DPO derived for the token-level MDP; the KL along the two answers enters the gap.

    L = -log σ(β (s(y_w) - s(y_l)) - β (D(y_l) - D(y_w))),    D(y) = Σ_t KL(π_ref(·|y_<t) || π(·|y_<t))

Differs from preference/dpo in D, a forward KL over the whole vocabulary at every token.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import summed
from posttrain.formulas.losses.pairs import sequential_kl
from posttrain.formulas.losses.penalties import forward_kl
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO, name="tdpo1", loss=Term(pairwise(sequential_kl, log_ratio, kl=part(summed, x=forward_kl), beta=0.1))
)
