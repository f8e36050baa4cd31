"""Losses and metrics of critics."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, PerTokenVocab, Scalar
from posttrain.core.rows import Rows


def clipped_value(value: PerToken, old_value: PerToken, returns: PerToken, *, clip: float = 0.2) -> PerToken:
    """Squared error of the critic, the larger of that of its value and that of the value clipped around the old one.

        ½ max((V - R)², (clip(V, V_old ± ε_v) - R)²)

    Settings:
        clip: ε_v, how far a value may move from the old one; above 0, in units of the return, 0.2 is usual.
    """
    near = old_value + (value - old_value).clamp(-clip, clip)
    return 0.5 * torch.maximum((value - returns) ** 2, (near - returns) ** 2)


def value_error(value: PerToken, returns: PerToken) -> PerToken:
    """Half the squared error of the critic: ½ (V - R)²."""
    return 0.5 * (value - returns) ** 2


def explained_variance(old_value: PerToken, returns: PerToken, rows: Rows) -> Scalar:
    """Share of the returns' variance that the critic explains, over the trained tokens.

        1 - Var(R - V) / Var(R)

    It is 0 where the returns do not vary.
    """
    target, error = returns[rows.mask], (returns - old_value)[rows.mask]
    if not len(target):
        return target.new_zeros(())
    spread = target.var(correction=0)
    return torch.where(spread > 0, 1 - error.var(correction=0) / spread.clamp(min=1e-12), 0.0)


def squared_error(value: PerRow, target: PerRow) -> PerRow:
    """Squared error of the value: (V - R)²."""
    return (value - target) ** 2


def advantage_error(logp: PerToken, ref_logp: PerToken, token_reward: PerToken, *, beta: float = 1.0) -> PerToken:
    """Squared error of the token's log-ratio against its reward.

        (log π(y_t)/π_ref(y_t) - ρ_t/β)²

    ρ is the token reward. In the token-level MDP the log-ratio under the optimal policy is the advantage over β.

    Settings:
        beta: pull towards the reference, larger stays closer; above 0, where 1 takes the rewards as log-ratios.
    """
    return (logp - ref_logp - token_reward / beta) ** 2


def soft_bellman(value: PerRow, reward: PerRow, score: PerRow, *, tau: float = 1.0) -> PerRow:
    """Squared residuals of the soft Bellman equation, one for the policy over τ and one for the value.

        (r - sg V - τ s)² / (2τ) + (r - V - τ sg s)² / 2

    Settings:
        tau: τ, pull towards the reference, larger stays closer; above 0, in units of the reward, 1 in the paper.
    """
    of_policy, of_value = reward - value.detach() - tau * score, reward - value - tau * score.detach()
    return of_policy**2 / (2 * tau) + of_value**2 / 2


def taken(q: PerTokenVocab, tokens: PerToken) -> PerToken:
    """Q-value of the token that was taken: Q(s_t, y_t)."""
    return q.gather(-1, tokens[:, None])[:, 0]


def one_step_error(
    taken_q: PerToken, value: PerToken, token_reward: PerToken, rows: Rows, *, gamma: float = 0.99
) -> PerToken:
    """Squared error of the Q-value against the reward and the next value, which is 0 after the last token.

        (r_t + γ sg V_{t+1} - Q(s_t, y_t))²

    Settings:
        gamma: γ, discount of later rewards; 0 to 1, where 1 does not discount.
    """
    return (token_reward + gamma * rows.next(value.detach()) - taken_q) ** 2


def chain_error(value: PerToken, token_reward: PerToken, rows: Rows, *, semi: bool = False) -> PerToken:
    """Squared difference of each value from the next one, and of the last from the reward.

        (V_t - V_{t+1})² for t < T,    (V_T - r)²

    Settings:
        semi: whether the next value is a constant, as in temporal differences; any, false is the authors' code.
    """
    following = rows.next(value.detach() if semi else value)
    return (token_reward + following - value) ** 2


def expectile(value: PerToken, taken_q: PerToken, other_q: PerToken, *, tau: float = 0.7) -> PerToken:
    """Expectile loss of the value, which brings V to the τ-expectile of the Q-values of the data's tokens.

        |τ - [d < 0]| d²,    d = sg min(Q, Q') - V

    Settings:
        tau: τ, the expectile; 0.5 (the mean) up to but not including 1 (the maximum), 0.6 to 0.8 in the authors' code.
    """
    d = torch.minimum(taken_q, other_q).detach() - value
    return torch.where(d < 0, 1 - tau, tau) * d**2


def conservative(q: PerTokenVocab, tokens: PerToken) -> PerToken:
    """Conservative loss that lowers the Q-values of the tokens that the data lacks.

    -log softmax(Q(s_t, ·))[y_t]
    """
    return -taken(q.log_softmax(-1), tokens)


def corrected_error(
    value: PerToken, returns: PerToken, importance: PerToken, error: PerToken, correction: PerToken
) -> PerToken:
    """Loss whose gradient is that of gradient temporal-difference learning (Sutton et al., 2009; Maei, 2011).

        -sg(δ_t) V_t + sg(ρ_t w_t) G_t,    δ the error, w its expectation, G the return, with gradient

    Without the second part, learning from the log of another policy may diverge.
    """
    return (importance * correction).detach() * returns - error.detach() * value


def expectation_error(correction: PerToken, error: PerToken) -> PerToken:
    """Half the squared error of what expects the error of a critic: ½ (w_t - sg δ_t)²."""
    return 0.5 * (correction - error.detach()) ** 2


def expected_value(logits: PerTokenVocab, q: PerTokenVocab) -> PerToken:
    """Expectation of the values of all tokens: Σ_a π(a|s_t) Q(s_t, a)."""
    return (logits.softmax(-1) * q).sum(-1)


def spread_of_values(q: PerTokenVocab) -> PerToken:
    """Sum of squares by which the values of all tokens differ from their mean: Σ_a (Q(s_t, a) - mean_a Q)²."""
    return ((q - q.mean(-1, keepdim=True)) ** 2).sum(-1)
