"""Self-Generated Critiques Boost Reward Modeling for Language Models (Yu et al., 2024).

Critic-RM: one model learns to criticise answers and to score them with a critique in view.

    L = -log σ(r(x, y_w, c_w) - r(x, y_l, c_l)) - λ/N Σ_t log p(c_t | x, y, c_<t)

Differs from reward/bradley_terry in the stream `critiques` (`critique.weight` = λ, which the paper lowers from 1 in the
course of training). N are the tokens of all critiques. The reward model must be a language model that writes.
"""

from posttrain.core.method import MAIN, TOKEN_MEAN, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.scores import nll
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="critic_rm",
    streams={MAIN: Stream("pairs"), "critiques": Stream("demonstrations")},
    loss={
        "preference": BRADLEY_TERRY.loss["loss"],
        "critique": Term(part(nll, logp="reward_logp"), reduce=TOKEN_MEAN, over="critiques"),
    },
)
