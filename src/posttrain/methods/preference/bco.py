"""Binary Classifier Optimization for Large Language Model Alignment (Jung et al., 2024).

BCO, on pairs: a classifier of good and bad answers, whose threshold follows the rewards of both.

    L = -log σ(β (s(y_w) - δ)) - log σ(-β (s(y_l) - δ)),    δ = moving average of (s(y_w) + s(y_l))/2

Differs from preference/dpo in the link and in δ (`shift`), which belongs to the optimiser step and has no gradient.
TRL's "bco_pair" has no δ.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.credit.pairs import midpoint_ema
from posttrain.formulas.losses.pair_targets import two_classes
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="bco",
    derived={"shift": Derived(pairwise(midpoint_ema, log_ratio), each="step")},
    loss=Term(pairwise(two_classes, log_ratio, beta=0.1)),
)
