"""On the Algorithmic Bias of Aligning Large Language Models with RLHF: Preference Collapse and Matching Regularization
(Xiao et al., 2024).

PM-RLHF: a policy that reproduces people's preferences must be softmax(r), which takes an entropy bonus of weight one in
place of the KL to a reference. With the KL, a majority becomes near unanimity.

    L = -A_i log π(y_i),   A_i = R_i - 1/(G-1) Σ_{j≠i} R_j,   R_i = r(y_i) - log π_old(y_i)

Differs from online/rloo in the penalty and has no reference. The scale of the reward matters: r must be the log-odds
of the preferences (Bradley and Terry). Answers that nobody would give have no reward to match: on those
online/conditional_pm_rlhf keeps the KL.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import leave_one_out
from posttrain.formulas.credit.shaping import row_reward_minus_logp
from posttrain.methods.online.rloo import METHOD as RLOO

METHOD = variant(
    RLOO,
    name="pm_rlhf",
    derived={"advantage": part(leave_one_out, reward=part(row_reward_minus_logp, entropy_weight=1.0))},
)
