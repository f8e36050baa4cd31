"""Grounding Large Language Models in Interactive Environments with Online Reinforcement Learning (Carta et al., 2023).

GLAM: PPO of a policy over a finite list of actions in words. It takes each with the probability that the model gives to
its text behind the prompt, among the actions of the list.

    π(a | s) = softmax_i Σ_t log p(w_t of a_i | s, w_<t),    ρ = π(a | s) / π_old(a | s)
    L = -min(ρ A, clip(ρ, 1-ε, 1+ε) A) + c ½ max((V - R)², (clip(V, V_old ± ε_v) - R)²) - β H(π(· | s))

A is GAE over decisions, standardised as PPO does, V the value after the last token of the prompt, R = A + V. A decision
is a group of rows, one for each action; the one that was taken is trained. The published code sums raw logits, and here
they are log-probabilities, as in the paper's formula. `procedure: act` plays the episodes and trains on them.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.credit.choices import choice_return, gae_over_choices, prompt_value, whitened_choices
from posttrain.formulas.losses.choices import (
    choice_kl,
    choice_logp,
    clipped_choice,
    clipped_choice_value,
    minus_choice_entropy,
)

METHOD = Method(
    name="glam",
    streams=Stream("decisions"),
    passes=4,
    derived={
        "old_choice_logp": part(choice_logp, logp="old_logp", normalise="sum"),
        "prompt_value": prompt_value,
        "choice_credit": part(gae_over_choices, gamma=0.99, lam=0.99),
        "choice_return": choice_return,
        "choice_advantage": whitened_choices,
    },
    loss={
        "policy": Term(part(clipped_choice, choice_logp=part(choice_logp, normalise="sum"))),
        "value": Term(clipped_choice_value, 0.5),
        "entropy": Term(part(minus_choice_entropy, choice_logp=part(choice_logp, normalise="sum")), 0.01),
    },
    metrics={"kl": Term(part(choice_kl, choice_logp=part(choice_logp, normalise="sum")))},
)
