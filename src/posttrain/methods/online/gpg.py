"""GPG: A Simple and Strong Reinforcement Learning Baseline for Model Reasoning (Chu et al., 2025).

Group policy gradient: no ratio, no clip, no KL and no deviation; the gradient is scaled up for the answers whose group
teaches nothing because all of its rewards are equal.

    L = 1/Σ|y_i| Σ_i Σ_t -A_i log π(y_t),   A_i = α (R_i - mean),   α = n / (n - n_equal)

Differs from online/dr_grpo in the ratio, the scale α and the mean over all tokens.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.formulas.credit.group_baselines import rescaled_centre
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.methods.online.opo import METHOD as OPO

METHOD = variant(OPO, name="gpg", derived={"advantage": rescaled_centre}, loss=Term(reinforce, reduce=TOKEN_MEAN))
