"""Improving RLHF with Efficient Reward Model Ensemble (Zhang et al., 2024): a linear-layer ensemble.

M heads on one trunk say how sure the reward model is, at the cost of one forward pass.

    L = 1/M Σ_m -w_m log σ(r_m(x, y_w) - r_m(x, y_l)),    w_m ~ Poisson(1)

Differs from reward/bradley_terry, which is M = 1 with w = 1, in the head of M numbers (`member_scores.size`). Members
begin at random heads and have a bootstrap sample of the pairs each, where the paper's differ in their heads alone: on
shared features these would all end at the same optimum. The score of the model is the mean of its members, or what
`models.reward.ensemble` says.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.members import disagreement, member_logistic, member_mean
from posttrain.formulas.losses.pairs import ranked, sides
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="ensemble",
    fields={"member_scores": live("B K", "scores of the members", "reward", "scores", mix=(1.0,), each=(1 / 4,) * 4)},
    loss=Term(part(member_logistic)),
    metrics=ranked(part(member_mean), "accuracy", "margin")
    | sides(part(member_mean), "score")
    | {"disagreement": disagreement},
)
