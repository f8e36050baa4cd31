"""Multi-turn Reinforcement Learning from Preference Human Feedback (Shani et al., 2024), against a mixture.

MTPO-τ: as in Nash-MD the other conversation is held by a geometric mixture of the policy and the reference.

    c' ~ π^{1-s} μ^s, renormalised per token;    A_k = Q(x_k, y_k) - V(x_k) - τ log π/μ(y_k|x_k)

Differs from online/mtpo in the opponent, whose conversations are not trained. With one turn and a critic that says 0 it
is online/nash_md.
"""

from posttrain.core.method import variant
from posttrain.methods.online.mtpo import METHOD as MTPO
from posttrain.methods.online.nash_md import METHOD as NASH_MD

METHOD = variant(MTPO, name="mtpo_mixture", streams=NASH_MD.streams)
