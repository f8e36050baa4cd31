"""Interpretable Preferences via Multi-Objective Reward Modeling and Mixture-of-Experts (Wang et al., 2024): its gate.

ArmoRM: the prompt decides how much each attribute of an answer counts. The heads of the attributes are there already,
and pairs teach the gate.

    L = -log σ(β (R(x, y_w) - R(x, y_l))),    R(x, y) = Σ_k g_k(x) r_k(x, y),    g(x) = softmax(V e(x))

e(x) is the state after the prompt. Differs from reward/bradley_terry in the score; the model and r_k stay as they are.
The gate is linear, where the paper's is a network of three layers, and β is not learned. The procedures reward/armorm
and reward/qrm make r_k; a model that has them and a gate scores by R.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.core.vocabulary import live, once
from posttrain.formulas.losses.attributes import gated
from posttrain.formulas.losses.pairs import logistic, ranked, sides
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

SCORE = part(gated)
METHOD = variant(
    BRADLEY_TERRY,
    name="gated",
    fields={
        "scores": once("B K", "a number for each attribute of the answer", "reward", "scores", size=0),
        "gate": live("B K", "log-weight of each attribute", "reward", "gate", size=0),
    },
    loss=Term(pairwise(logistic, SCORE, beta=1.0)),
    metrics=ranked(SCORE, "accuracy", "margin") | sides(SCORE, "score"),
)
