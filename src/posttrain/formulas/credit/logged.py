"""Credit for answers that another policy wrote and that only their log tells of.

ρ_t = π(y_t | s_t) / q(y_t | s_t)
"""

from __future__ import annotations

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken
from posttrain.core.rows import Rows


def behaviour_ratio(old_logp: PerToken, behaviour_logp: PerToken, *, cap: float = 10.0) -> PerToken:
    """Importance weights of the tokens, min(ρ_t, cap).

    Settings:
        cap: largest weight; at least 1, where 10 cuts off little.
    """
    return bounded_exp(old_logp - behaviour_logp).clamp(max=cap)


def logged_return(
    token_reward: PerToken, value: PerToken, importance: PerToken, rows: Rows, *, gamma: float = 1.0, lam: float = 0.5
) -> PerToken:
    """λ-return of the policy from the log of another one, with the weights of the later tokens.

        G_t = r_t + γ ((1-λ) V_{t+1} + λ ρ_{t+1} G_{t+1})

    Settings:
        gamma: γ, discount of later rewards; 0 to 1, where 1 does not discount.
        lam: λ, weight of the log against the critic; 0 (one step) to 1 (the whole answer), usually about 0.5.
    """
    at_once = token_reward + gamma * (1 - lam) * rows.next(value)
    return rows.discount(at_once, gamma * lam * rows.next(importance))


def logged_error(value: PerToken, returns: PerToken, importance: PerToken) -> PerToken:
    """How much better an action of the log was than the critic expects of the policy: ρ_t (G_t - V_t)."""
    return importance * (returns - value)
