"""Prototypical Reward Network for Data-Efficient RLHF (Zhang et al., 2024).

The state of an answer is drawn half the way to prototypes near it before it is scored: what few labels say of one
answer holds for all that are like it. Prototypes learn with the rest and are kept apart.

    L = -log σ(r(h'_w) - r(h'_l)) + ρ mean over pairs that are too near of (δ - |μ_p - μ_q|)
    h' = 1/2 (h + Σ_p a_p μ_p),    a = softmax(-|h - μ_p|)

Differs from reward/bradley_terry in h' and in the second term (`apart.weight` = ρ). The procedure reward/proto_rm finds
the prototypes. The share 1/2 is that of the paper at the start; it decays there. The paper's code chooses among the
prototypes of the right side in training and lets neighbours vote later; here all count, and no label is looked at.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.contrast import apart
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

BETWEEN = live("B K", "distances between prototypes", "reward", "prototype_distances", size=0)
METHOD = variant(
    BRADLEY_TERRY,
    name="prototypes",
    fields={"between": BETWEEN},
    loss={"preference": Term(pairwise(logistic, row_score, beta=1.0)), "apart": Term(part(apart), 1.0)},
)
