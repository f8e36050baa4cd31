"""Discovering Preference Optimization Algorithms with and for Large Language Models (Lu et al., 2024).

DiscoPOP, a loss written by a language model: logistic for a pair in the wrong order, exponential for one in the right
order, and a blend of the two around the reference.

    L = (1 - σ(z/τ)) log(1 + e⁻ᶻ) + σ(z/τ) e⁻ᶻ,    z = β (s(y_w) - s(y_l))

Differs from preference/dpo in the blend, which is not convex: with β = τ = 0.05 the loss rises from a gap of -2.37 to
one of 1.44. At the reference the gradient points the wrong way; a pair that no other pair pulls along comes to rest at
-2.37. This is eq. 5; the discovered code has σ(s(y_w) - s(y_l)), which is the same for β = τ only. Beyond e^20, e⁻ᶻ
continues along its tangent.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import blended
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="discopop", loss=Term(pairwise(blended, log_ratio, beta=0.05, tau=0.05)))
