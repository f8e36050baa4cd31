"""Towards Efficient Exact Optimization of Language Model Alignment (Ji et al., 2024).

EXO: DPO is a forward KL from the label to the policy's preference; alignment asks for the reverse, which seeks modes.

    L = KL(q || p),    q = (σ(z), σ(-z)),    p = (1-ε, ε),    z = β (s(y_w) - s(y_l))

Differs from preference/dpo in the direction of the KL. ε = `smoothing` must be above 0. For lists of scored answers:
preference/exo_list.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import reverse_kl
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="exo", loss=Term(pairwise(reverse_kl, log_ratio, beta=0.1, smoothing=1e-3)))
