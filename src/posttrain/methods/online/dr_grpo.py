"""Understanding R1-Zero-Like Training: A Critical Perspective (Liu et al., 2025).

Dr. GRPO: GRPO without the two normalisers that bias it, the standard deviation and the length of the answer.

    L = mean_i 1/C Σ_t -min(ρ_t A_i, clip(ρ_t) A_i),   A_i = R_i - mean,   C = max_tokens

Differs from online/grpo: centred rewards, a constant instead of |y_i|, no KL. On policy it is (G-1)/G times the
unbiased policy gradient, divided by C.
"""

from dataclasses import replace

from posttrain.core.method import SEQUENCE_SUM, variant
from posttrain.formulas.credit.baselines import group_centre
from posttrain.formulas.credit.controllers import inverse
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="dr_grpo",
    derived={"advantage": group_centre, "per_token": inverse},
    loss={"policy": replace(GRPO.loss["policy"], weight="per_token", reduce=SEQUENCE_SUM)},
)
