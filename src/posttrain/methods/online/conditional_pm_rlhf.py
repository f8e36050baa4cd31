"""On the Algorithmic Bias of Aligning Large Language Models with RLHF: Preference Collapse and Matching Regularization
(Xiao et al., 2024).

Conditional PM-RLHF: preferences are matched among natural answers, and the KL to the reference holds down the others,
over which the entropy alone would spread the policy.

    R(y) = r(y) - (log π_old(y)/ε + 1)           if -log π_ref(y)/|y| <= ν (natural)
    R(y) = r(y) - β (log π_old(y)/π_ref(y) + 1)  otherwise

Differs from online/pm_rlhf in ν (`natural`, in nats per token), ε (`log_epsilon`) and β (`kl_weight`). Among natural
answers the policy ends at softmax(r) whatever ε, which sets their share against the others. The threshold is our
reading: the paper asks for likely answers without one value for all.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import leave_one_out
from posttrain.formulas.credit.shaping import row_reward_minus_conditional_logp
from posttrain.methods.online.pm_rlhf import METHOD as PM_RLHF

METHOD = variant(
    PM_RLHF,
    name="conditional_pm_rlhf",
    derived={"advantage": part(leave_one_out, reward=part(row_reward_minus_conditional_logp, kl_weight=0.05))},
)
