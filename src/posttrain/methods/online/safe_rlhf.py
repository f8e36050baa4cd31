"""Safe RLHF: Safe Reinforcement Learning from Human Feedback (Dai et al., 2024).

Maximise reward while the expected cost stays below zero: a second critic values costs, and a multiplier λ, moved
once per batch, trades the two.

    A = (A_reward - λ A_cost) / (1 + λ),   ln λ ← ln λ + α λ (mean cost + d)
    r_t = [t last] R - β/2 log π_old/π_ref,   c_t = [t last] C + β/2 log π_old/π_ref

Differs from online/ppo: `cost_critic` and its loss (`cost_value.weight`), `penalty` (λ, stateful), and the combined
advantage. Nothing is whitened: standardised apart, a cost of any size would weigh as much as the reward, and λ would
mean nothing. d is `budget`.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import head
from posttrain.formulas.credit.advantages import add_value, constrained, gae
from posttrain.formulas.credit.controllers import multiplier
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.formulas.losses.values import clipped_value
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="safe_rlhf",
    fields=head("cost_value", "cost_critic", "value", "value of the cost critic"),
    derived=PPO.derived
    | {
        "penalty": multiplier,
        "token_cost": part(reward_minus_fixed_kl, reward="cost", sign=-1.0, kl_weight=0.05),
        "cost_credit": part(gae, token_reward="token_cost", old_value="old_cost_value"),
        "cost_returns": part(add_value, credit="cost_credit", old_value="old_cost_value"),
        "advantage": part(constrained, reward_credit="credit", cost_credit="cost_credit"),
    },
    loss=PPO.loss
    | {
        "cost_value": Term(
            part(clipped_value, value="cost_value", old_value="old_cost_value", returns="cost_returns"),
            0.1,
            TOKEN_MEAN,
        )
    },
)
