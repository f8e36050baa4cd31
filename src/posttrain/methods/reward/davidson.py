"""On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments (Davidson, 1970).

A tie is as likely as the geometric mean of the two preferences, times a constant that is learned.

    P(w beats l) ∝ e^{r_w},    P(l beats w) ∝ e^{r_l},    P(tie) ∝ ν e^{(r_w + r_l)/2},    ν = ν_0 e^{v c}

Differs from reward/learned_ties in the likelihood. ν = 0 without ties is reward/bradley_terry.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.scores import row_score
from posttrain.formulas.losses.ties import davidson
from posttrain.methods.reward.learned_ties import METHOD as LEARNED_TIES

TIE = part(pick, score="tie", column=0)
LEARNED = part(pick, score="constant", column=0)
METHOD = variant(
    LEARNED_TIES,
    name="davidson",
    loss=Term(pairwise(davidson, row_score, chosen_tie=TIE, chosen_constant=LEARNED)),
)
