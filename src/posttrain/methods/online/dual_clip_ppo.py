"""Mastering Complex Control in MOBA Games with Deep Reinforcement Learning (Ye et al., 2020).

PPO whose loss is bounded for negative advantages too: a token that the policy has made far more likely since it was
sampled cannot dominate a step.

    L = min(L_clip, -c A_t) where A_t < 0, L_clip elsewhere

Differs from online/ppo in the bound c > 1.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.policy_gradient import token_ratio
from posttrain.formulas.losses.trust_regions import dual_clipped_surrogate
from posttrain.methods.online.ppo import METHOD as PPO

POLICY = Term(part(dual_clipped_surrogate, ratio=token_ratio), reduce=TOKEN_MEAN)
METHOD = variant(PPO, name="dual_clip_ppo", loss=PPO.loss | {"policy": POLICY})
