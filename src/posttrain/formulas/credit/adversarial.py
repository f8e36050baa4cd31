"""Rewards that an adversary picks from a confidence set of reward models."""

from __future__ import annotations

from posttrain.core.parts import PerRow, PerRowMany
from posttrain.core.rows import Rows


def adversarial_reward(
    model_reward: PerRow,
    doubt: PerRowMany,
    group: PerRow,
    author: PerRow,
    rows: Rows,
    *,
    radius: float = 1.0,
) -> PerRow:
    """Reward over the reference answer (author 1) under the worst linear reward near the learned one.

        φ*·δ,    φ* = argmin over |φ - φ̂|_P <= B of φ·ḡ = φ̂ - B P⁻¹ ḡ / |ḡ|_{P⁻¹}

    δ is the feature of an answer less that of the reference answer to the same prompt, ḡ the mean of δ over the batch.
    `doubt` holds features in coordinates in which P is the identity.

    Settings:
        radius: B, size of the confidence set in standard deviations; 0 is the plain reward, 0.5 to 5 is usual.
    """
    reference = ((group[:, None] == group[None]) & (author == 1)[None]).to(doubt.dtype)
    share = reference / reference.sum(1, keepdim=True).clamp(min=1)
    shift = doubt - share @ doubt
    worst = shift[rows.trained].mean(0)
    pessimism: PerRow = shift @ worst / worst.norm().clamp(min=1e-12)
    gain: PerRow = model_reward - share.to(model_reward.dtype) @ model_reward
    return gain - radius * pessimism
