"""ChatGLM-RLHF: Practices of Aligning Large Language Models with Human Feedback (Hou et al., 2024), its reward model.

A penalty on both scores keeps their size, and so the noise of RL against them, small.

    L = -log σ(r_w - r_l) + c (r_w² + r_l²)

Differs from reward/bradley_terry in the second term (`size.weight` is 2c, since its mean is over the two rows).
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.score_size import squared_score
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="small_scores",
    loss={"preference": Term(pairwise(logistic, row_score, beta=1.0)), "size": Term(squared_score, 0.02)},
)
