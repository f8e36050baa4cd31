"""Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment
(D'Oosterlinck et al., 2024).

APO-zero: the preferred answer is made more likely and the rejected one less, each by itself.

    L = 1 - σ(β s(y_w)) + σ(β s(y_l))

Differs from preference/dpo in the link, which is that of preference/kto with the reference point at 0, on pairs.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import anchored
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="apo_zero", loss=Term(pairwise(anchored, log_ratio, beta=0.1)))
