"""Mitigating Reward Over-Optimization in RLHF via Behavior-Supported Regularization (Dai et al., 2025), its
reward model.

ScoreLM: a reward model that also models the texts of its own data, so that it can tell which tokens it has seen.

    L = -log σ(r_w - r_l) - α log β(y)

Both answers of a pair are modelled; α is `text.weight`. Differs from reward/bradley_terry in the second term.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.scores import nll
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="score_lm",
    loss={
        "preference": BRADLEY_TERRY.loss["loss"],
        "text": Term(part(nll, logp="reward_logp"), 0.1, TOKEN_MEAN),
    },
)
