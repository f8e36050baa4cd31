"""MA-RLHF: Reinforcement Learning from Human Feedback with Macro Actions (Chai et al., 2024).

PPO whose actions are several tokens long: rewards are added up and advantages are estimated over macro actions, which
brings credit to the beginning of an answer in fewer steps.

    δ_τ = Σ_{i<k} γ^i r_{t_τ+i} + γ^k V_{τ+1} - V_τ,    A_τ = δ_τ + γ^k λ A_{τ+1},    k tokens of the macro action τ

A macro action has `every_few_tokens.n` tokens; with 1 it is PPO, with one macro action a bandit. Every token has the
advantage of its macro action and teaches the critic its return. `of: macro` clips the ratio of the macro action, as the
paper writes, and not that of the token, as its code does. Discounts are those of options (Sutton et al., 1999): γ^k for
k tokens. Differs from online/ppo in the time steps.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value
from posttrain.formulas.credit.macro_actions import every_few_tokens, macro_gae, macro_ratio, macro_value
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ma_rlhf",
    derived=PPO.derived
    | {
        "macro": every_few_tokens,
        "macro_value": macro_value,
        "credit": part(macro_gae, gamma=1.0, lam=0.95),
        "returns": part(add_value, old_value="macro_value"),
    },
    loss=PPO.loss | {"policy": Term(part(clipped_surrogate, ratio=macro_ratio), reduce=TOKEN_MEAN)},
    metrics=PPO.metrics | {"clip_ratio/region_mean": Term(part(clipped_share, ratio=macro_ratio), reduce=TOKEN_MEAN)},
)
