"""Batch Policy Gradient Methods for Improving Neural Conversation Models (Kandasamy et al., 2017).

BPG: an off-policy actor-critic on a fixed log of answers and scores. Importance weights turn what the policy q that
wrote them earned into what the trained policy would earn.

    L = -Σ_t ρ_t (G_t - V_t) log π(y_t),    G_t = r_t + γ ((1-λ) V_{t+1} + λ ρ_{t+1} G_{t+1}),    ρ_t = π_old/q

States are weighted as q visits them. The critic learns by gradient temporal differences, GTD(λ), for which the model
`correction` expects its error. The column `behaviour_logp` has log q for each token of an answer; without it q is the
reference, the policy as it was. The paper takes small steps, λ near 0.5, and a critic that is linear in states.
"""

from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.core.vocabulary import live, once
from posttrain.formulas.credit.logged import behaviour_ratio, logged_error, logged_return
from posttrain.formulas.credit.shaping import terminal
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.values import corrected_error, expectation_error

ERROR = part(logged_error, returns=logged_return)  # of the critic as it is, with gradient
METHOD = Method(
    name="bpg",
    streams=Stream("demonstrations"),
    fields={
        "behaviour_logp": once("T", "log-prob under the policy that wrote the log", "reference", "logp", column=True),
        "correction": live("T", "expected error of the critic", "correction", "value"),
    },
    derived={
        "token_reward": terminal,
        "importance": behaviour_ratio,
        "returns": part(logged_return, value="old_value"),
        "advantage": part(logged_error, value="old_value"),
    },
    loss={
        "policy": Term(reinforce, reduce=SEQUENCE_SUM),
        "value": Term(part(corrected_error, returns=logged_return, error=ERROR), 0.5, TOKEN_MEAN),
        "correction": Term(part(expectation_error, error=ERROR), 0.5, TOKEN_MEAN),
    },
)
