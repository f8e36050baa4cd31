"""Beyond Reverse KL: Generalizing Direct Preference Optimization with Diverse Divergence Constraints
(Wang et al., 2023).

f-DPO: with another divergence between policy and reference, another function of their ratio is the implicit reward.

    L = -log σ(β f'(u_w) - β f'(u_l)),    u = π(y)/π_ref(y)
    f'(u) = log u | 1 - 1/u | log 2u/(1+u) | (1 - u^-α)/α

Differs from preference/dpo in `divergence`: reverse_kl (DPO), forward_kl, jensen_shannon, alpha (α = 0 is the reverse
KL, α = 1 the forward one; TRL's f_alpha_divergence_coef is 1 - α). Beyond e^20 the powers continue along their
tangents.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import divergence_score
from posttrain.methods.preference.dpo import METHOD as DPO

SCORE = part(divergence_score, divergence="jensen_shannon")
METHOD = variant(DPO, name="f_dpo", loss=Term(pairwise(logistic, SCORE, beta=0.1)))
