"""MiniMax-M1: Scaling Test-Time Compute Efficiently with Lightning Attention (MiniMax, 2025).

CISPO: the ratio is a truncated weight without gradient, so that no token is ever clipped away, however rare it was.

    L = 1/Σ|y_i| Σ_i Σ_t -sg(min(ρ_t, c)) A_i log π(y_t),   A_i = (R_i - mean) / std

Differs from online/grpo in the loss of a token, takes one mean over all tokens, and has no KL.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.losses.policy_gradient import token_ratio
from posttrain.formulas.losses.trust_regions import truncated_reinforce
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="cispo",
    loss={"policy": Term(part(truncated_reinforce, ratio=token_ratio), reduce=TOKEN_MEAN)},
    metrics=without(GRPO.metrics, "clip_ratio/region_mean"),
)
