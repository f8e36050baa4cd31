"""Aligning LLMs through Multi-perspective User Preference Ranking-based Feedback for Programming Question Answering
(Yang et al., 2024).

MPRA, the second stage of ALMupQA: the answers of a community are ranked from several perspectives at once, and the
policy maximises the likelihood of that order under the mean log-probs, without a reference. The likelihood of the best
answer holds the policy.

    L = -Σ_k log [e^{β p_k} / Σ_{j>=k} e^{β p_j}] - c p_1,    p = 1/|y| log π(y),  y_1 the best

Differs from preference/dpo_list in the score and in the NLL term (`nll.weight` = c). With two answers the first term is
SimPO without its margin. β is one over the temperature; the paper's β and c are not known to us. The procedure almupqa
builds the order from votes and a model's likelihoods.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import best_nll, plackett_luce
from posttrain.formulas.losses.scores import mean_logp
from posttrain.methods.preference.dpo_list import METHOD as DPO_LIST

METHOD = variant(
    DPO_LIST,
    name="mpra",
    loss={
        "ranking": Term(part(plackett_luce, score=mean_logp, beta=1.0)),
        "nll": Term(part(best_nll, score=mean_logp), 0.05),
    },
)
