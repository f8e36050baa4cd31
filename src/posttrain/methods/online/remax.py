"""ReMax: A Simple, Effective, and Efficient Method for Aligning Large Language Models (Li et al., 2023).

The reward of the greedy answer is the baseline: one extra answer per prompt instead of a critic.

    L = -Σ_t A_t log π(y_t),   A_t = Σ_{k>=t} r_k - R(greedy),   r_t = [t last] R - β log π_old/π_ref

Differs from online/reinforce in the baseline and the KL penalty. The greedy answer is sampled, scored and never
trained on; with β = 0 this is self-critical sequence training (Rennie et al., 2017).
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import reward_to_go
from posttrain.formulas.credit.baselines import minus_greedy
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="remax",
    streams=Stream("prompts", (Sampling(), Sampling(temperature=0.0, train=False))),
    derived={
        "token_reward": part(reward_minus_fixed_kl, kl_weight=0.05),
        "advantage": part(minus_greedy, token_return=reward_to_go),
    },
)
