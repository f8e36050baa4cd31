"""Self-Exploring Language Models: Active Preference Elicitation for Online Alignment (Zhang et al., 2024).

SELM: an optimistic reward, which moves the policy away from the answers that its reference gives anyway.

    L = -log σ(β (s(y_w) - s(y_l))) + αβ s(y'),    y' ~ π_ref

Differs from preference/dpo in the second term (`exploration.weight` = αβ), over fresh samples of the reference: the
stream `fresh` holds prompts. Between rounds the reference becomes the policy, and a judge ranks y_w, y_l and a new y'.
"""

from posttrain.core.method import Sampling, Stream, Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="selm",
    streams=DPO.streams | {"fresh": Stream("prompts", (Sampling(mix=(("reference", 1.0),)),))},
    loss={
        "preference": Term(pairwise(logistic, log_ratio, beta=0.01)),
        "exploration": Term(log_ratio, 1e-5, over="fresh"),
    },
)
