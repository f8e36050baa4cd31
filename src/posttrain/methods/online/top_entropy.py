"""Beyond the 80/20 Rule: High-Entropy Minority Tokens Drive Effective Reinforcement Learning for LLM Reasoning
(Wang et al., 2025).

Only the fifth of the tokens where the policy is least certain, the forks of a chain of thought, has a gradient.

    L = 1/Σ|y_i| Σ_i Σ_t -[H_t >= τ_ρ] min(ρ_t A_i, clip(ρ_t, 1-0.2, 1+0.28) A_i)

H_t is the entropy at the token, τ_ρ its (1-ρ)-quantile over the optimiser step. Differs from online/dapo in the choice
of tokens, which needs another forward pass.
"""

from posttrain.core.method import TOKEN_MEAN, Derived, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.token_choice import high_entropy
from posttrain.formulas.losses.off_policy import weighed
from posttrain.methods.online.dapo import METHOD as DAPO

LOSS = part(weighed, loss=DAPO.loss["policy"].part, weight="forks")
METHOD = variant(
    DAPO,
    name="top_entropy",
    derived=DAPO.derived | {"forks": Derived(high_entropy, each="step")},
    loss={"policy": Term(LOSS, reduce=TOKEN_MEAN)},
)
