"""Rewards of tokens that two language models imply."""

from __future__ import annotations

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def implicit_reward(dpo_logp: PerToken, ref_logp: PerToken, *, scale: float = 0.05, bound: float = 0.05) -> PerToken:
    """Reward of a token by a model that DPO has trained, which is the implicit reward of DPO token by token.

        clip(β₁ log π_dpo(y_t)/π_ref(y_t), ±c)

    Settings:
        scale: β₁, reward of a nat of the log-ratio; 0 or more, 0.05 in the authors' code.
        bound: c, largest reward of a token; above 0, 0.05 in the authors' code.
    """
    return (scale * (dpo_logp - ref_logp)).clamp(-bound, bound)


def plus_last(dense: PerToken, reward: PerRow, rows: Rows) -> PerToken:
    """Rewards of tokens, and that of the answer at its last token: r_t + [t last] R."""
    return dense + rows.at_last(reward)
