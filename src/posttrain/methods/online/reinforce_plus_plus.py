"""REINFORCE++: Stabilizing Critic-Free Policy Optimization with Global Advantage Normalization (Hu et al., 2025).

PPO without a critic: the advantage of a token is what the answer earns from there on, standardised over all tokens of
the batch and not within the group, so that one answer to each prompt is enough.

    A_t = (G_t - mean) / std,   G_t = Σ_{k>=t} r_k,   r_t = [t last] R - β log π_old/π_ref

Differs from online/ppo in the advantage, and takes one pass over each batch.
"""

from posttrain.core.method import variant, without
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import reward_to_go, whiten
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="reinforce_plus_plus",
    passes=1,
    derived={
        "token_reward": part(reward_minus_fixed_kl, kl_weight=0.01),
        "credit": reward_to_go,
        "advantage": whiten,
    },
    loss={"policy": PPO.loss["policy"]},
    metrics=without(PPO.metrics, "value/explained_var"),
)
