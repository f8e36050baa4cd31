"""Length-Unbiased Sequence Policy Optimization: Revealing and Controlling Response Length Variation in RLVR
(Liu et al., 2026).

LUSPO: the loss of an answer counts by its length, because GSPO's mean over tokens favours short good answers and long
bad ones.

    L = mean_i |y_i| · -min(s_i A_i, clip(s_i, 1-ε_l, 1+ε_h) A_i),   s_i = (π(y_i)/π_old(y_i))^(1/|y_i|)

Differs from online/gspo in the factor |y_i|.
"""

from dataclasses import replace

from posttrain.core.method import SEQUENCE_SUM, variant
from posttrain.methods.online.gspo import METHOD as GSPO

METHOD = variant(GSPO, name="luspo", loss={"policy": replace(GSPO.loss["policy"], reduce=SEQUENCE_SUM)})
