"""SLiC-HF: Sequence Likelihood Calibration with Human Feedback (Zhao et al., 2023).

A hinge on the log-probs of the two answers, anchored by the likelihood of a good one. Pairs that are already a
margin apart teach nothing.

    L = max(0, δ - log π(y_w) + log π(y_l)) - λ log π(y_w)

Differs from preference/dpo: a hinge, no reference model, and the NLL of the preferred answer (`nll.weight` = λ), which
the paper takes of the best candidate or of the SFT target. δ is `delta`. TRL's "hinge" is the hinge of preference/gpo.
"""

from posttrain.method import Term, variant
from posttrain.methods.preference.dpo import METHOD as DPO
from posttrain.objectives.pairs import first, gap, hinge, minus_first, ordered, second
from posttrain.objectives.scores import sum_logp
from posttrain.parts import pairwise

METHOD = variant(
    DPO,
    name="slic",
    loss={
        "preference": Term(pairwise(hinge, sum_logp, beta=1.0, delta=1.0)),
        "nll": Term(pairwise(minus_first, sum_logp), 0.1),
    },
    metrics={
        "rewards/accuracies": pairwise(ordered, sum_logp),
        "logps/margins": pairwise(gap, sum_logp),
        "logps/chosen": pairwise(first, sum_logp),
        "logps/rejected": pairwise(second, sum_logp),
    },
)
