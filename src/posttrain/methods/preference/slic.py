"""SLiC-HF: Sequence Likelihood Calibration with Human Feedback (Zhao et al., 2023).

A hinge on the log-probs of the two answers, anchored by the likelihood of a good one. Pairs that are already a
margin apart teach nothing.

    L = max(0, δ - log π(y_w) + log π(y_l)) - λ log π(y_w)

Differs from preference/cpo: a hinge, and a sum over the tokens of the NLL (`nll.weight` = λ, usually 0.1), which the
paper takes of the best candidate or of the SFT target. δ is `delta`. TRL's "hinge" is the hinge of preference/gpo.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import hinge, minus_first
from posttrain.formulas.losses.scores import sum_logp
from posttrain.methods.preference.cpo import METHOD as CPO

METHOD = variant(
    CPO,
    name="slic",
    loss={
        "preference": Term(pairwise(hinge, sum_logp, beta=1.0, delta=1.0)),
        "nll": Term(pairwise(minus_first, sum_logp), 0.1),
    },
)
