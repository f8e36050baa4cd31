"""Learning to Generate Better Than Your LLM (Chang et al., 2023).

PPO++: a guide begins a share of the answers, so that the policy starts from places that it would not reach, and learns
to go on from there.

    y_<h ~ π_guide,   y_>=h ~ π,   h uniform in 1 ... T-1,    L = L_ppo over the tokens t >= h

Differs from online/ppo in who begins β of the answers (`share`); with β = 0 it is online/ppo. The guide is
`models.guide`, else the policy as it was before the first step. The guide's tokens are read and not trained.
"""

from posttrain.core.guide import Guide
from posttrain.core.method import Sampling, Stream, variant
from posttrain.formulas.guides import random_cut
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(PPO, name="ppo_plus_plus", streams=Stream("prompts", (Sampling(guide=Guide(random_cut)),)))
