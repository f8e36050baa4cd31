"""A Note on DPO with Noisy Preferences and Relationship to IPO (Mitchell, 2023).

cDPO: a share ε of the labels is wrong, so labels are smoothed, and the gap has a finite target.

    L = -(1-ε) log σ(z) - ε log σ(-z),    z = β (s(y_w) - s(y_l))

Differs from preference/dpo in `smoothing` = ε. The loss is smallest at z = log((1-ε)/ε).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="cdpo", loss=Term(pairwise(logistic, log_ratio, beta=0.1, smoothing=0.1)))
