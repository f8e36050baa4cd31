"""The Entropy Mechanism of Reinforcement Learning for Reasoning Language Models (Cui et al., 2025).

Clip-Cov: the entropy falls where likely tokens are rewarded, so a few tokens whose likelihood and advantage are high
together are left out of the gradient.

    L = 1/Σ|y_i| Σ_i Σ_t -m_t min(ρ_t A_i, clip(ρ_t) A_i),   m_t = 0 for r N random tokens of high covariance, else 1

Differs from online/grpo in the mask m, which needs another forward pass, and the mean over all tokens, and has no KL.
"""

from posttrain.core.method import TOKEN_MEAN, Derived, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.token_choice import without_high_covariance
from posttrain.formulas.losses.off_policy import weighed
from posttrain.methods.online.grpo import METHOD as GRPO

LOSS = part(weighed, loss=GRPO.loss["policy"].part, weight="kept")
METHOD = variant(
    GRPO,
    name="clip_cov",
    derived=GRPO.derived | {"kept": Derived(without_high_covariance, each="step")},
    loss={"policy": Term(LOSS, reduce=TOKEN_MEAN)},
)
