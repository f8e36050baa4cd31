"""On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments (Davidson, 1970).

A tie is as likely as the geometric mean of the two preferences, times a constant that is learnt.

    P(w beats l) ∝ e^{r_w},    P(l beats w) ∝ e^{r_l},    P(tie) ∝ ν e^{(r_w + r_l)/2},    ν = ν_0 e^{v c}

Differs from reward/learnt_ties in the likelihood. ν = 0 without ties is reward/bradley_terry.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.scores import row_score
from posttrain.formulas.losses.ties import davidson
from posttrain.methods.reward.learnt_ties import METHOD as LEARNT_TIES

TIE = part(pick, score="tie", column=0)
LEARNT = part(pick, score="constant", column=0)
METHOD = variant(
    LEARNT_TIES,
    name="davidson",
    loss=Term(pairwise(davidson, row_score, chosen_tie=TIE, chosen_constant=LEARNT)),
)
