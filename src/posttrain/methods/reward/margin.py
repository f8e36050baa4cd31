"""Llama 2: Open Foundation and Fine-Tuned Chat Models (Touvron et al., 2023), its reward models.

The gap must exceed a margin that grows with how much better annotators found the preferred answer.

    L = -log σ(r(x, y_w) - r(x, y_l) - m)

Differs from reward/bradley_terry, which is m = 0, in the column `margin` = m: 3, 2, 1, 0 or 1, 2/3, 1/3, 0 there,
from significantly better to negligibly so.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.pairs import margin_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

MARGIN = part(pick, score="margin", column=0)
METHOD = variant(
    BRADLEY_TERRY,
    name="margin",
    loss=Term(pairwise(margin_logistic, row_score, chosen_margin=MARGIN, beta=1.0, weight=1.0)),
)
