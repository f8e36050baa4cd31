"""Regularizing Hidden States Enables Learning Generalizable Reward Model for LLMs (Yang et al., 2024).

GRM keeps the language model beside the score head: its likelihood of the preferred answer holds the features that the
two share, so that the scores generalise to other prompts and answers.

    L = -(1-a) log σ(r_w - r_l) - a log σ(β log p(y_w | x))

Differs from reward/bradley_terry in the second term (`text.weight` = a, `preference.weight` = 1 - a). The reward model
must be a language model that writes.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.reward_pairs import likely
from posttrain.formulas.losses.scores import row_score, sum_logp
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="grm",
    loss={
        "preference": Term(pairwise(logistic, row_score, beta=1.0), 0.99),
        "text": Term(pairwise(likely, part(sum_logp, logp="reward_logp")), 0.01),
    },
)
