"""Rethinking the Trust Region in LLM Reinforcement Learning (Qi et al., 2026).

DPPO: what stops a token is how far its probability has moved, not its ratio, which jumps for rare tokens and hardly
moves for common ones.

    L = 1/Σ|y_i| Σ_i Σ_t -M_t sg(min(ρ_t, c)) A_i log π(y_t),   M_t = 0 where A_i points away and D_t > δ, else 1

D is the total variation of the token's probability, or with `divergence: kl` its Kullback-Leibler divergence. Differs
from online/cispo in the mask M, and its large cap c is only a safeguard.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.off_policy import weighed
from posttrain.formulas.losses.policy_gradient import token_ratio
from posttrain.formulas.losses.trust_regions import truncated_reinforce, within_divergence
from posttrain.methods.online.cispo import METHOD as CISPO

LOSS = part(truncated_reinforce, ratio=token_ratio, cap=20.0)
METHOD = variant(
    CISPO,
    name="dppo",
    loss={"policy": Term(part(weighed, loss=LOSS, weight=within_divergence), reduce=TOKEN_MEAN)},
    metrics=CISPO.metrics | {"trust_region/inside": Term(within_divergence, reduce=TOKEN_MEAN)},
)
