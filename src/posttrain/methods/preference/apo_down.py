"""Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment
(D'Oosterlinck et al., 2024).

APO-down: where the model itself would give a better answer than either, both are made less likely, and the rejected one
more so.

    L = σ(β s(y_w)) + 1 - σ(β (s(y_w) - s(y_l)))

Differs from preference/apo_zero, which is for preferred answers that are better than the model's own: the gap takes the
place of the preferred answer, and the preferred answer that of the rejected one.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import anchored_down
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="apo_down", loss=Term(pairwise(anchored_down, log_ratio, beta=0.1)))
