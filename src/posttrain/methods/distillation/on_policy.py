"""On-Policy Distillation of Language Models: Learning from Self-Generated Mistakes (Agarwal et al., 2024), with λ = 1.

The student writes, and at every token that it wrote it learns the teacher's whole distribution: what the teacher would
have done there, where the student will be when it is used.

    L = 1/N Σ_t D_β(q(·|x, y_<t), π(·|x, y_<t)),    y ~ π

Differs from distillation/soft_targets in who writes the answers, and in β = 1, the reverse KL. No gradient goes through
the choice of the tokens. Rewards are not read.
"""

from posttrain.core.method import Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.distillation import generalised_jsd
from posttrain.methods.distillation.soft_targets import METHOD as SOFT_TARGETS

METHOD = variant(
    SOFT_TARGETS,
    name="on_policy",
    streams=Stream("prompts", (Sampling(),)),
    loss=Term(part(generalised_jsd, beta=1.0), reduce=SOFT_TARGETS.loss["loss"].reduce),
)
