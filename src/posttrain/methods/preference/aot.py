"""Distributional Preference Alignment of LLMs via Optimal Transport (Melnyk et al., 2024).

AOT, paired: at every quantile the policy must hold the two answers of a pair further apart than the reference does
(first-order stochastic dominance), whichever pair is found there.

    L = -1/n Σ_i log σ(β (g_(i) - h_(i))),    g = log π(y_w)/π(y_l),  h = log π_ref(y_w)/π_ref(y_l)

Differs from preference/dpo in the sort: g_(i) and h_(i) are the i-th smallest of the whole optimiser step, which costs
a second forward pass. Where both models rank the pairs alike, it is DPO. Differs from preference/aot_unpaired in what
is sorted, so that a constant of the prompt does not matter.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import sum_logp
from posttrain.formulas.losses.transport import sorted_logistic
from posttrain.methods.preference.dpo import METHOD as DPO

POLICY, REFERENCE = pairwise(gap, sum_logp), pairwise(gap, part(sum_logp, logp="ref_logp"))
METHOD = variant(DPO, name="aot", loss=Term(part(sorted_logistic, chosen=POLICY, rejected=REFERENCE, beta=0.1)))
