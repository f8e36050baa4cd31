"""Aligning Language Models with Preferences through f-divergence Minimization (Go et al., 2023).

f-DPG: any divergence between the policy and a target distribution p(y) ∝ π_ref(y) e^{r(y)/β}, as a policy gradient.

    L = -(R_i - mean R) log π(y_i),    R = -f'(t),    t = π_old(y)/p(y)
    R = 1/t | -log t - 1 | -log 2t/(1+t) | -½ sign(log t) | 1/t² - 1 | 2 - 2t

Differs from online/dpg in `divergence`: forward_kl (DPG), reverse_kl (RLHF with a KL penalty), jensen_shannon,
total_variation, forward_chi_squared, reverse_chi_squared. The baseline is the mean of the answers to the prompt.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import group_centre
from posttrain.formulas.credit.matching import divergence_reward, log_weight
from posttrain.methods.online.dpg import METHOD as DPG

REWARD = part(divergence_reward, log_weight=log_weight, divergence="jensen_shannon")
METHOD = variant(DPG, name="f_dpg", derived={"advantage": part(group_centre, reward=REWARD)})
