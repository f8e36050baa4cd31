"""Aligning Large Language Models with Representation Editing: A Control Perspective (Kong et al., 2024).

RE-Control: a value of hidden states is learned from rewarded answers of the model, which does not change. When it
answers, each state is moved along the gradient of the value before the next token is predicted (the decoder
`re_control`, with which the model is saved).

    L = Σ_{t<T} (V(h_t) - V(h_{t+1}))² + (V(h_T) - r)²

h_t is the state from which token t is predicted. Train the value head alone, `model: {path: ..., trained: heads}`, so
that the model stays as it is. V is a linear head where the paper has three layers. The answers of demonstrations have a
`reward` each: those of the model itself, scored.
"""

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.core.rate import HEAD
from posttrain.core.vocabulary import live
from posttrain.formulas.credit.shaping import terminal
from posttrain.formulas.losses.values import chain_error

METHOD = Method(
    name="re_control",
    decoder="re_control",
    streams=Stream("demonstrations"),
    fields={"value": live("T", "value of the policy's own states", "policy", "value")},
    derived={"token_reward": terminal},
    loss=Term(chain_error, reduce=TOKEN_MEAN),
    rates={"policy": HEAD},
)
