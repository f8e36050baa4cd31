"""Soft Adaptive Policy Optimization (Gao et al., 2025).

SAPO: a gate that closes gradually takes the place of the clip, and it closes sooner where tokens are pushed down.

    L = mean_i 1/|y_i| Σ_t -4/τ σ(τ (ρ_t - 1)) A_i,   τ = τ₊ where A_i > 0, τ₋ elsewhere

Differs from online/grpo in the loss of a token, and has no KL.
"""

from posttrain.core.method import SEQUENCE_MEAN, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.losses.policy_gradient import token_ratio
from posttrain.formulas.losses.trust_regions import soft_gated
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="sapo",
    loss={"policy": Term(part(soft_gated, ratio=token_ratio), reduce=SEQUENCE_MEAN)},
    metrics=without(GRPO.metrics, "clip_ratio/region_mean"),
)
