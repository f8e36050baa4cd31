"""Back to Basics: Revisiting REINFORCE Style Optimization for RLHF in LLMs (Ahmadian et al., 2024).

RLOO: the other answers to the same prompt are the baseline, and the whole answer is one action.

    L = -A_i log π(y_i),   A_i = R_i - 1/(G-1) Σ_{j≠i} R_j,   R_i = r(y_i) - β log π_old(y_i)/π_ref(y_i)

Unbiased for every G >= 2 (Kool et al., 2019). Differs from online/reinforce in the baseline and in the KL penalty.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import leave_one_out
from posttrain.formulas.credit.shaping import row_reward_minus_kl
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="rloo",
    streams=Stream("prompts", (Sampling(samples=4),)),
    derived={"advantage": part(leave_one_out, reward=part(row_reward_minus_kl, kl_weight=0.05))},
)
