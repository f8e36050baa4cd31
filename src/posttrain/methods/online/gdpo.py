"""GDPO: Group reward-Decoupled Normalization Policy Optimization for Multi-reward RL Optimization (Liu et al., 2026).

Several rewards are standardised one by one before they are added, so that answers which differ in what they are good at
do not get the same advantage, and a reward with a large spread does not drown the others.

    A_i = (S_i - mean_batch) / std_batch,   S_i = Σ_k w_k (R_ik - mean_group) / std_group

w_k is the weight of the reward in the run file. Differs from online/grpo in the advantage.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.group_baselines import decoupled_standardise
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(GRPO, name="gdpo", derived={"advantage": decoupled_standardise})
