"""On-Policy Distillation of Language Models: Learning from Self-Generated Mistakes (Agarwal et al., 2024).

GKD: the teacher's distribution at every token, of the student's own answers and of given ones.

    L = λ E_{y ~ π}[D_β(q, π)(y)] + (1-λ) E_{(x, y) ~ data}[D_β(q, π)(y)]

λ is `student.weight`, 1 - λ `data.weight`; both terms are computed in every step, where the authors draw one of them.
With (1, 0) it is distillation/on_policy with this β, with (0, 1) and β = 0 distillation/soft_targets. The stream
`given` reads demonstrations.
"""

from posttrain.core.method import TOKEN_MEAN, Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.distillation import generalised_jsd
from posttrain.methods.distillation.on_policy import METHOD as ON_POLICY

METHOD = variant(
    ON_POLICY,
    name="gkd",
    streams={"main": Stream("prompts", (Sampling(),)), "given": Stream("demonstrations")},
    loss={
        "student": Term(part(generalised_jsd, beta=0.5), 0.5, TOKEN_MEAN),
        "data": Term(part(generalised_jsd, beta=0.5), 0.5, TOKEN_MEAN, over="given"),
    },
)
