"""Sequence Level Training with Recurrent Neural Networks (Ranzato et al., 2016).

MIXER: the reference answer is followed and imitated up to its last Δ tokens, from where the model goes on by itself and
earns a reward. Δ grows from 0, so that likelihood gives way to reinforcement from the end of the answer to its start.

    L = -Σ_{t <= T-Δ} log π(y*_t) - Σ_{t > T-Δ} (R - V_t) log π(y_t) + c ½ Σ_{t > T-Δ} (V_t - R)²

Differs from online/a2c in the beginning of the answers. T is the length of the reference, in the column `reference`.
In the steps of `warmup` it is imitation/sft by sums over answers, once Δ covers the longest reference it is online/a2c.
The paper warms up for 20 epochs or more and lengthens Δ by 2 or 3 tokens every 5. Its critic is linear in the states of
the policy.
"""

from posttrain.core.guide import Guide
from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Sampling, Stream, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import minus_value
from posttrain.formulas.guides import growing_rest, of_author, of_guide
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.scores import nll
from posttrain.formulas.losses.values import value_error
from posttrain.methods.online.a2c import METHOD as A2C

METHOD = variant(
    A2C,
    name="mixer",
    streams=Stream("prompts", (Sampling(guide=Guide(growing_rest, by=None, train=True)),)),
    derived=A2C.derived | {"advantage": part(of_author, loss=minus_value)},
    loss={
        "policy": Term(reinforce, reduce=SEQUENCE_SUM),
        "imitation": Term(part(of_guide, loss=nll), reduce=SEQUENCE_SUM),
        "value": Term(part(of_author, loss=value_error), 0.5, TOKEN_MEAN),
    },
    metrics=without(A2C.metrics, "value/explained_var", "sampling/logp_difference"),  # they mean the sampled tokens
)
