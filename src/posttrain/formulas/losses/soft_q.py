"""Losses of soft Q-learning, where the logits of the policy are Q: V = log Σ exp Q and log π = A = Q - V."""

from __future__ import annotations

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PerRow, PerToken
from posttrain.core.rows import Rows


def scaled_standardise(
    reward: PerRow, group: ComparedGroup, rows: Rows, *, scale: float = 5.0, eps: float = 1e-4
) -> PerRow:
    """Standardised reward within the group of answers to a prompt, times a scale.

        scale (R - mean) / (std + ε)

    It is 0 where all answers have the same reward, and for a group of one.

    Settings:
        scale: what one deviation of the reward is worth in nats; above 0, 5 in the paper, larger is greedier.
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-4 in the authors' code.
    """
    return scale * Groups.of(group, rows.counted).standardise(reward, eps, 0)


def soft_one_step(logp: PerToken, level: PerToken, scaled_reward: PerRow, rows: Rows) -> PerToken:
    """Squared error of the advantage of each token against the soft values, the reward at the last token.

    (A_t - (V_{t+1} - V_t))² and, at the last token, (A_T - (R - V_T))²
    """
    following = rows.next(level) + rows.at_last(scaled_reward)
    return (logp - (following - level)) ** 2


def soft_multi_step(logp: PerToken, level: PerToken, scaled_reward: PerRow, rows: Rows) -> PerToken:
    """Squared error of the advantages from each token on against the reward that they should add up to.

    (Σ_{k>=t} A_k - (R - V_t))²
    """
    return (rows.discount(logp, 1.0) - (rows.spread(scaled_reward) - level)) ** 2
