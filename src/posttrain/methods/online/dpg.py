"""A Distributional Approach to Controlled Text Generation (Khalifa et al., 2021).

DPG: the goal is a distribution, p(y) ∝ π_ref(y) e^{r(y)/β}, and the policy is fitted to it by the forward KL, so that
it covers all of p where a policy gradient would seek one mode.

    L = -A log π(y),    A = p(y)/π_old(y) - 1,    p = P/Z,  Z = mean of P/π_old over the answers to the prompt

Differs from online/reinforce in A; the baseline 1 is that of Korbak et al. (2022). With r in {0, -∞} p is the reference
filtered, with β the weight of a KL penalty it is the optimum of RLHF. Z from K answers has a bias of order 1/K.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.matching import importance_minus_one, log_weight
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="dpg",
    streams=Stream("prompts", (Sampling(samples=8),)),
    derived={"advantage": part(importance_minus_one, log_weight=log_weight)},
)
