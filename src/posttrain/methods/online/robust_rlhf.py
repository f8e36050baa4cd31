"""Distributionally Robust Reinforcement Learning with Human Feedback (Mandal et al., 2025), the policy.

The policy maximises its reward under the worst distribution of prompts near that of the data, so that it also serves
prompts of another kind.

    max_π min_{TV(q, 1/n) <= ρ} Σ_x q_x E_π[R(x, y) - β log π(y)/π_ref(y)]

By Danskin's theorem its gradient is that of online/rloo with the weights n q of the prompts of a batch, which move from
the prompts with the highest mean reward to those with the lowest. Differs from online/rloo in these weights; with
`radius: 0` it is RLOO. reward/robust and preference/dr_dpo are the paper's other two.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import leave_one_out
from posttrain.formulas.credit.robust import times_prompt_weight, worst_prompts
from posttrain.formulas.credit.shaping import row_reward_minus_kl
from posttrain.methods.online.rloo import METHOD as RLOO

WORTH = part(row_reward_minus_kl, kl_weight=0.05)
METHOD = variant(
    RLOO,
    name="robust_rlhf",
    derived={
        "advantage": part(
            times_prompt_weight,
            credit=part(leave_one_out, reward=WORTH),
            prompt_weight=part(worst_prompts, reward=WORTH),
        )
    },
)
