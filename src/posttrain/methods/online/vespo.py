"""VESPO: Variational Sequence-Level Soft Policy Optimization for Stable Off-Policy LLM Training (Shen et al., 2026).

Each answer is weighted by a smooth function of the ratio of the whole answer, without clip or normalisation by length.

    L = 1/Σ|y_i| Σ_i Σ_t -sg(φ(w_i)) A_i log π(y_t),   φ(w) = w^k e^{λ (1 - w)},   w_i = π(y_i)/π_old(y_i)

k and λ are others for positive and for negative advantages. Differs from online/cispo in the weight.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.formulas.losses.trust_regions import gamma_weighted
from posttrain.methods.online.cispo import METHOD as CISPO

METHOD = variant(CISPO, name="vespo", loss={"policy": Term(gamma_weighted, reduce=TOKEN_MEAN)})
