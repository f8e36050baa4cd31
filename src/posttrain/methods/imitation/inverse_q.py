"""Inverse-Q*: Token Level Reinforcement Learning for Aligning Large Language Models Without Preference Data
(Xia et al., 2024).

Inverse-Q*: in the token-level MDP, a token's value is its log-ratio under the optimal policy. So every token of the
model's own answers gets a reward from an estimate of that policy, and the log-ratio is fitted to it.

    L = Σ_t (log π(y_t)/π_ref(y_t) - ρ_t/β)²,    ρ_t = log π̂*(y_t) - log π_ref(y_t)

Differs from imitation/sft in the target: `token_reward` is a list with one number for each token of the answer, as the
procedure inverse_q builds it. On its own answers the policy ends at π_ref exp(ρ/β), normalised at every token; with
β = 1 it ends at π̂* itself, whatever the source of the answers. Our reading: the paper confirms the rewards, not this
loss.
"""

from posttrain.core.method import SEQUENCE_SUM, Method, Stream, Term
from posttrain.formulas.losses.values import advantage_error

METHOD = Method(
    name="inverse_q",
    streams=Stream("demonstrations"),
    loss=Term(advantage_error, reduce=SEQUENCE_SUM),
)
