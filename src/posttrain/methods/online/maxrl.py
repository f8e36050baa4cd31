"""Maximum Likelihood Reinforcement Learning (Tajwar et al., 2026).

MaxRL: hard prompts weigh more, as in maximum likelihood, whose gradient is that of the success rate p over p.

    L = -A_i log π(y_i),   A_i = (R_i - mean) / mean

With rewards 0 and 1 its expected gradient is that of p, times Σ_{k<G-1} (1 - p)^k, which grows to 1/p with G. Differs
from online/rloo in the advantage, and has no KL. The divisor is the mean of |R|, so that no reward changes its sign.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.group_baselines import over_mean
from posttrain.methods.online.opo import METHOD as OPO

METHOD = variant(OPO, name="maxrl", derived={"advantage": over_mean})
