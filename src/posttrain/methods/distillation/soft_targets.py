"""Distilling the Knowledge in a Neural Network (Hinton et al., 2015).

Soft targets: at every token of given answers the student learns the teacher's whole distribution, not the token alone.

    L = 1/N Σ_t KL(q(·|x, y_<t) || π(·|x, y_<t))

Differs from imitation/sft in the targets: a teacher that is certain of every token gives its loss. Answers may be
anybody's. Answers that the teacher wrote are sequence-level distillation with soft targets. `beta` turns the forward KL
into the reverse one.
"""

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.distillation import generalised_jsd
from posttrain.formulas.losses.penalties import entropy_of

METHOD = Method(
    name="soft_targets",
    streams=Stream("demonstrations"),
    loss=Term(part(generalised_jsd, beta=0.0), reduce=TOKEN_MEAN),
    metrics={"entropy": Term(entropy_of, reduce=TOKEN_MEAN)},
)
