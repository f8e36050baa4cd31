"""Fine-Tuning Language Models from Human Preferences (Ziegler et al., 2019).

PPO whose KL coefficient is steered to a target: a controller with state, saved and resumed with the run.

    β ← β (1 + clip(KL/target - 1, ±0.2) n/horizon)

Differs from online/ppo: the coefficient is a tensor that `adaptive_kl` derives once per batch.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.controllers import adaptive_kl
from posttrain.formulas.credit.shaping import reward_minus_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ppo_adaptive_kl",
    derived=PPO.derived | {"kl_weight": adaptive_kl, "token_reward": reward_minus_kl},
)
