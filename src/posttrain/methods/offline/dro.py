"""Offline Regularised Reinforcement Learning for Large Language Models Alignment (Richemond et al., 2024).

DRO, direct reward optimisation (it is not distributionally robust): single answers with a reward, no pairs. At the
optimum r = V(x) + τ log π/π_ref holds for every answer, so the squared residual is minimised on answers from any
source.

    L = 1/2 (r(y) - V(x) - τ s(y))²,    s(y) = log π(y|x)/π_ref(y|x)

As in the paper's DRO-V, policy and value are separate models, and the policy's loss is divided by τ. Reads the column
`reward` of demonstrations. Ends at π_ref exp(r/τ)/Z and V = τ log Z.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.core.rate import COMPARISON
from posttrain.formulas.losses.scores import at_first, log_ratio
from posttrain.formulas.losses.values import soft_bellman

METHOD = Method(
    name="dro",
    streams=Stream("demonstrations"),
    loss=Term(part(soft_bellman, value=at_first, score=log_ratio, tau=1.0)),
    rates={"policy": COMPARISON},
)
