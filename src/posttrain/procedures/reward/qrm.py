"""Quantile Regression for Distributional Reward Models in RLHF (Dorka, 2024): QRM.

Distributions of attributes, and a gate that reads the prompt and decides how much each of them counts.

    q_k1 ... q_kQ by pinball losses,    R(x, y) = Σ_k softmax(V e(x))_k 1/Q Σ_i q_ki(x, y)

Differs from reward/armorm in the heads, which are learned by reward/quantiles and are not freed of verbosity.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection.attribute_heads import rated
from posttrain.training.session import NO_OPTIONS, Options, Session


def qrm(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    *,
    quantiles: int = 9,
    regression: Options = NO_OPTIONS,
    gate: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Learn quantiles of the ratings of each attribute -> train the gate on the pairs.

    The demonstrations have a column `attributes` with the ratings of the answer, null where one is missing.

    Settings:
        quantiles: Q, numbers for each attribute; at least 1, 9 are the tenths.
        regression: options of the stage of reward/quantiles: any keys of `train`, and `settings` of its method.
        gate: options of the stage of the gate: any keys of `train`, and `settings` of its method, reward/gated.
    """
    count = rated(demonstrations).shape[1]
    size = {"scores.mix": (1 / count,) * count, "scores.each": (1 / quantiles,) * quantiles}
    settings = {**size, **regression.get("settings", {})}
    session.train("reward/quantiles", demonstrations, rewards=(), **{**regression, "settings": settings})
    width = len(session.embed("one", demonstrations[:1], role="reward")[0])
    session.set_head("reward", "gate", torch.zeros(count, width))
    return session.train("reward/gated", pairs, rewards=(), **gate)
