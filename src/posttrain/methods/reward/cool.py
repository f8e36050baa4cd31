"""InternLM2 Technical Report (Cai et al., 2024): the reward model of COOL RLHF.

A focal ranking loss, so that pairs that are told apart stop to matter, and a barrier that keeps scores in a band.
Domains are told apart by a system prompt of their own, in the column `system`.

    L = -(1 - 2 max(0, p - 1/2))^γ log p + c Σ_r [-log(b + r) - log(b - r)],    p = σ(r_w - r_l)

Differs from reward/bradley_terry in both (`barrier.weight` is 2c, since its mean is over the two rows).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.reward_pairs import focal_logistic
from posttrain.formulas.losses.score_size import log_barrier
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="cool",
    loss={"preference": Term(pairwise(focal_logistic, row_score)), "barrier": Term(log_barrier, 0.04)},
)
