"""Secrets of RLHF in Large Language Models Part II: Reward Modeling (Wang et al., 2024): soft labels with a margin.

A label may be doubtful, and a gap must exceed a margin: both follow from the strength of the preference.

    L = -q log σ(Δ - m) - (1-q) log σ(m - Δ),    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/soft_labels, which is m = 0, in the column `margin` = m; q = 1 is reward/margin. The procedure
reward/preference_strength finds both columns.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.reward_pairs import soft_margin_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.soft_labels import METHOD as SOFT_LABELS

AGREEMENT = part(pick, score="agreement", column=0)
MARGIN = part(pick, score="margin", column=0)
METHOD = variant(
    SOFT_LABELS,
    name="soft_margin",
    loss=Term(pairwise(soft_margin_logistic, row_score, chosen_agreement=AGREEMENT, chosen_margin=MARGIN)),
)
