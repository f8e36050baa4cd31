"""CodePMP: Scalable Preference Model Pretraining for Large Language Model Reasoning (Yu et al., 2024), its loss.

A score head and the language model below it learn together from pairs that were made without labels.

    L = -log σ(r(x, y_w) - r(x, y_l)) - λ log p(y_w | x)/|y_w|

Differs from reward/bradley_terry in the second term (`text.weight` = λ). The reward model must be a language model that
writes. procedures/feedback/code_pmp.py makes the pairs.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.pairs import minus_first
from posttrain.formulas.losses.scores import mean_logp
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="pmp",
    loss={
        "preference": BRADLEY_TERRY.loss["loss"],
        "text": Term(pairwise(minus_first, part(mean_logp, logp="reward_logp"))),
    },
)
