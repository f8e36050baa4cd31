"""RLAIF: Scaling Reinforcement Learning from Human Feedback with AI Feedback (Lee et al., 2023), its reward model.

Soft labels: the score gap fits the probability of a judge, or the share of annotators, for the preferred answer.

    L = -q log σ(Δ) - (1-q) log σ(-Δ),    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/bradley_terry, which is q = 1, in the column `agreement` = q. The minimum is at Δ = log q/(1-q).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.reward_pairs import soft_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

AGREEMENT = part(pick, score="agreement", column=0)
METHOD = variant(
    BRADLEY_TERRY, name="soft_labels", loss=Term(pairwise(soft_logistic, row_score, chosen_agreement=AGREEMENT))
)
