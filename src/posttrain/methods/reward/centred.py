"""Helping or Herding? Reward Model Ensembles Mitigate but do not Eliminate Reward Hacking (Eisenstein et al., 2023).

Scores around 0: a pair leaves the sum of its scores open, and a small penalty settles it.

    L = -log σ(r_w - r_l) + c (r_w + r_l)²

Differs from reward/bradley_terry in the second term (`centre.weight` = c). The gap is not shrunk.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.reward_pairs import squared_sum
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="centred",
    loss={
        "preference": Term(pairwise(logistic, row_score, beta=1.0)),
        "centre": Term(pairwise(squared_sum, row_score), 0.01),
    },
)
