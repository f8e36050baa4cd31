"""Policy Invariance Under Reward Transformations: Theory and Application to Reward Shaping (Ng, Harada and
Russell, 1999).

PPO whose rewards get the gain of a potential: how much better a prefix looks than the one before it. Good beginnings
are rewarded at once, and the best policy stays the same, whatever the potential is.

    r'_t = r_t + c (γ Φ(s_{t+1}) - Φ(s_t)),    Φ = 0 before the first token and behind the last one

Φ is the score that a reward model gives to each prefix: `models: {potential: FOLDER}`. Differs from online/ppo in these
rewards. Whoever sets `gae.gamma` sets `plus_potential.gamma` to the same, or the policy is no longer invariant.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.shaping import plus_potential, reward_minus_fixed_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="potential_shaping",
    fields={"potential": once("T", "score of the answer up to each token", "potential", "prefix_score")},
    derived=PPO.derived
    | {"token_reward": part(plus_potential, token_reward=part(reward_minus_fixed_kl, kl_weight=0.05))},
)
