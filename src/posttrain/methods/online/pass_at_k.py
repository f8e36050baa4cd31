"""Optimizing Language Models for Inference Time Objectives using Reinforcement Learning (Tang et al., 2025).

Pass@k: what counts is the best of G answers, so only the best is credited, with its lead over the second.

    L = -A_i log π(y_i),   A_i = max_j R_j - max_{j≠i} R_j

Its expected gradient is that of the expected best reward of G answers, over G. Differs from online/rloo in the
advantage, and has no KL.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.group_baselines import best_over_second
from posttrain.methods.online.opo import METHOD as OPO

METHOD = variant(OPO, name="pass_at_k", derived={"advantage": best_over_second})
