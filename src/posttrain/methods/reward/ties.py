"""Ties in Paired-Comparison Experiments: A Generalization of the Bradley-Terry Model (Rao and Kupper, 1967).

Pairs may be ties: the column `tie` is 1 where annotators saw no difference.

    P(w beats l) = σ(Δ - log θ),    P(tie) = (θ²-1) σ(Δ - log θ) σ(-Δ - log θ),    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/bradley_terry, the limit θ = 1, in the likelihood. A preference is a pair with margin log θ.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.reward_pairs import tied_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

TIE = part(pick, score="tie", column=0)
METHOD = variant(BRADLEY_TERRY, name="ties", loss=Term(pairwise(tied_logistic, row_score, chosen_tie=TIE)))
