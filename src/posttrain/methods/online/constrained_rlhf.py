"""Confronting Reward Model Overoptimization with Constrained RLHF (Moskovitz et al., 2023).

A reward model stops telling good from bad once its score is above some point, its proxy point. Stay as close to the
reference as possible while every reward reaches its point, and no longer pursue one that has.

    A = Σ_i (1 - f(μ_i)) A_KL + f(μ_i) A_i,   μ_i ← μ_i - α (mean r_i - θ_i),   f = σ (at least θ) or tanh (equal to θ)

`components: [helpful, brief]` names the rewards of the run; each has a critic (`helpful_critic`), a term of the loss
(`value/helpful.weight`) and a multiplier (`multiplier/helpful.threshold`); without it the one component is the reward
of the run. Differs from online/ppo in these and in the KL, which has a critic to itself. The advantages are not
standardised one by one, as in the authors' code: at the optimum they cancel, and standardised they would do so at
f = 1/2 alone, around which the multipliers circle.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import head
from posttrain.formulas.credit.advantages import add_value, gae
from posttrain.formulas.credit.constraints import paid_if_known, threshold_multiplier, traded, where_known
from posttrain.formulas.credit.shaping import minus_kl
from posttrain.formulas.losses.values import clipped_value
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="constrained_rlhf",
    fields=head("value/reward", "reward_critic", "value", "value of the critic of one reward"),
    derived=PPO.derived
    | {
        "token_reward": part(minus_kl, kl_weight=1.0),
        "credit/reward": part(where_known, credit=part(gae, token_reward=paid_if_known, old_value="old_value/reward")),
        "returns/reward": part(add_value, credit="credit/reward", old_value="old_value/reward"),
        "multiplier/reward": threshold_multiplier,
        "advantage": part(traded, kl_credit="credit", reward_credit="credit/reward", multiplier="multiplier/reward"),
    },
    loss=PPO.loss
    | {
        "value/reward": Term(
            part(clipped_value, value="value/reward", old_value="old_value/reward", returns="returns/reward"),
            0.1,
            TOKEN_MEAN,
        )
    },
)
