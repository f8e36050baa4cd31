"""Self-Play with Adversarial Critic: Provable and Scalable Offline Alignment for Language Models (Ji et al., 2024).

SPAC: among the rewards that explain the preferences, the critic takes the one under which the learner looks worst
compared with the data; the learner follows it by a step of mirror descent, π ∝ π_t e^{ηr}. With r = s/η both are one
loss.

    L = -λ log σ(β (s(y_w) - s(y_l))) + β (s(y') - s(y_w)),    s = log π/π_t,  y' ~ π_t,  β = 1/η

Differs from preference/selm in the data's half of the second term. β is the weight of both halves (`own.weight`,
`data.weight`), λ is `preference.weight`; as λ grows it becomes DPO. The reference is π_t, which writes the samples y'
(stream `fresh`, prompts) and moves from round to round: the procedure spac. An answer that was never compared loses
probability. Our reading of the paper: the data's half is the preferred answer.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, minus_first
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.selm import METHOD as SELM

METHOD = variant(
    SELM,
    name="spac",
    loss={
        "preference": Term(pairwise(logistic, log_ratio, beta=0.1)),
        "own": Term(log_ratio, 0.1, over="fresh"),
        "data": Term(pairwise(minus_first, log_ratio), 0.1),
    },
)
