"""Pairwise Ranking Aggregation in a Crowdsourced Setting (Chen et al., 2013), Crowd-BT on a reward model.

Annotators differ: each says what is better with a probability of their own, the column `reliability` = η.

    L = -log [η σ(Δ) + (1-η) σ(-Δ)],    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/label_noise, where 1-η is one share for all, in the column. Who guesses (η = 1/2) teaches nothing,
and who is wrong more often than right teaches the opposite. annotators/crowd_bt estimates η along with the rewards.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.core.vocabulary import Field
from posttrain.formulas.losses.annotators import crowd_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

RELIABILITY = part(pick, score="reliability", column=0)
METHOD = variant(
    BRADLEY_TERRY,
    name="crowd_bt",
    fields={"reliability": Field("B", "probability that the annotator of the pair prefers the better answer")},
    loss=Term(pairwise(crowd_logistic, row_score, chosen_reliability=RELIABILITY)),
)
