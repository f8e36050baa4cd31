"""Secrets of RLHF in Large Language Models Part II: Reward Modeling (Wang et al., 2024): contrastive learning.

The states of answers are told apart whatever people prefer, so that a reward model sees the small differences between
answers of one policy (SimCSE).

    L = -log σ(r_w - r_l) - b 1/B Σ_i log [exp(cos(h_i, h'_i)/τ) / Σ_j exp(cos(h_i, h'_j)/τ)]

Differs from reward/bradley_terry in the second term (`contrast.weight` = b, which the paper does not state). h and h'
are the last state under two dropout masks, where the paper's are two passes: layers have no dropout here. The paper
also contrasts the differences of pairs, and clusters (SwAV), which are not part of this.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.contrast import contrastive
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="contrastive",
    fields={"feature": live("B D", "state after the last token of the row", "reward", "feature")},
    loss={
        "preference": Term(pairwise(logistic, row_score, beta=1.0)),
        "contrast": Term(part(contrastive), 0.1),
    },
)
