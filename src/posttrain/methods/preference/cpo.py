"""Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance in Machine Translation
(Xu et al., 2024).

CPO: DPO with a uniform reference, which costs nothing, and the likelihood of the preferred answer to hold the policy.

    L = -log σ(β (log π(y_w) - log π(y_l))) - c/|y_w| log π(y_w)

Differs from preference/dpo: no reference model, and the NLL term (`nll.weight` = c, 1 in the paper), a mean over the
answer as in the authors' code, where it is one mean over all tokens of the batch.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, minus_first, ranked, sides
from posttrain.formulas.losses.scores import mean_logp, sum_logp
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="cpo",
    loss={
        "preference": Term(pairwise(logistic, sum_logp, beta=0.1)),
        "nll": Term(pairwise(minus_first, mean_logp)),
    },
    metrics=ranked(sum_logp, "rewards/accuracies", "logps/margins") | sides(sum_logp, "logps"),
)
