"""Direct Alignment of Language Models via Quality-Aware Self-Refinement (Yu et al., 2024).

Sr-DPO: the model itself estimates how far apart the two answers are in quality, and a share of that is demanded of the
gap.

    L = -log σ(β (s(y_w) - s(y_l)) - λβ Δ),    Δ = log π(y_w|p,x) - log π(y_l|p,x),  p asks for the best answer

Differs from preference/dpo in the margin, which has no gradient. Δ is the column `margin` of the pair, so any other
measure of the difference may be used; the procedure sr_dpo computes it. λ is `weight`.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.pairs import margin_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

MARGIN = part(pick, score="margin", column=0)
METHOD = variant(
    DPO, name="sr_dpo", loss=Term(pairwise(margin_logistic, log_ratio, chosen_margin=MARGIN, beta=0.1, weight=0.1))
)
