"""Equilibrate RLHF: Towards Balancing Helpfulness-Safety Trade-off in Large Language Models (Tan et al., 2025).

AMA, adaptive message-wise alignment: only the segments that decide whether an answer is safe are trained on, so that
the policy does not learn to refuse from the text around them.

    L = -log σ(β (s_m(y_w) - s_m(y_l))),    s_m(y) = Σ_t m_t log π(y_t)/π_ref(y_t),  m_t = 1 if relevance_t > threshold

Differs from preference/dpo in m. The other segments stay in the context. The relevance comes with the data: the columns
chosen_relevance and rejected_relevance, one number for each token. The paper's rule for m is not known to us; a
threshold of 0.5 suits a judge that gives 0 or 1. A pair without a relevant token teaches nothing.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import masked
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import token_log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="ama", loss=Term(pairwise(logistic, part(masked, x=token_log_ratio), beta=0.1)))
