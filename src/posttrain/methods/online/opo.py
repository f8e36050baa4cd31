"""On-Policy RL with Optimal Reward Baseline (Hao et al., 2025).

OPO: of all baselines the one of least variance, in the paper's reading that longer answers have larger gradients.

    L = -A_i log π(y_i),   A_i = R_i - Σ_j |y_j| R_j / Σ_j |y_j|

Differs from online/rloo in the baseline, and has no KL. The answer itself is part of its baseline, as in online/grpo.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.formulas.credit.group_baselines import length_weighted_centre
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="opo",
    streams=Stream("prompts", (Sampling(samples=8),)),
    derived={"advantage": length_weighted_centre},
)
