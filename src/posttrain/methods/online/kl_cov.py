"""The Entropy Mechanism of Reinforcement Learning for Reasoning Language Models (Cui et al., 2025).

KL-Cov: the few tokens whose likelihood and advantage are highest together pay for moving away from π_old; nothing is
clipped.

    L = 1/Σ|y_i| Σ_i Σ_t -ρ_t A_i + β m_t |log ρ_t|,   m_t = 1 for the r N tokens of highest covariance, else 0

β is `kl.weight`. Differs from online/clip_cov in what happens to these tokens. The first optimiser step of a batch has
nothing to pay for, so a batch is cut into several.
"""

from posttrain.core.method import TOKEN_MEAN, Derived, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.credit.token_choice import highest_covariance
from posttrain.formulas.losses.off_policy import weighed
from posttrain.formulas.losses.penalties import log_ratio_size
from posttrain.formulas.losses.policy_gradient import surrogate, token_ratio
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="kl_cov",
    minibatches=4,
    derived=GRPO.derived | {"held": Derived(highest_covariance, each="step")},
    loss={
        "policy": Term(part(surrogate, ratio=token_ratio), reduce=TOKEN_MEAN),
        "kl": Term(part(weighed, loss=log_ratio_size, weight="held"), 1.0, TOKEN_MEAN),
    },
    metrics=without(GRPO.metrics, "kl", "clip_ratio/region_mean"),
)
