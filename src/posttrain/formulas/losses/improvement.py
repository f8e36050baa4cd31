"""Losses that lead the policy to an improved one, π ∝ π_0 exp(A/λ), by regression and by weighted imitation.

No ratio is needed, so the answers may come from any policy.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from posttrain.core.parts import PerToken


def anchor_logp(old_logp: PerToken, ref_logp: PerToken, *, improves: Literal["old", "ref"] = "old") -> PerToken:
    """Log-prob of a token under the policy π_0 that is improved.

    Settings:
        improves: name of the policy that is improved; old (that before the batch) or ref (the reference).
    """
    return old_logp if improves == "old" else ref_logp


def advantage_regression(
    logp: PerToken, anchor_logp: PerToken, advantage: PerToken, *, temperature: float = 0.1
) -> PerToken:
    """Squared error of the log-prob against that of the improved policy, whose normaliser is taken as 1.

        (log π - log π_0 - A_t/λ)²

    Settings:
        temperature: λ, in units of the advantage, larger stays closer to π_0; above 0, 0.1 in the authors' code.
    """
    return (logp - anchor_logp - advantage / temperature) ** 2


def advantage_weighted(logp: PerToken, advantage: PerToken, *, temperature: float = 1.0, cap: float = 20.0) -> PerToken:
    """Negative log-likelihood of a token, weighted by how much better than expected it is.

        -min(exp(A_t/λ), w) log π

    Settings:
        temperature: λ, in units of the advantage; above 0, 0.5 to 2, where more imitates all tokens alike.
        cap: w, the largest weight; at least 1, 20 in the paper.
    """
    return -torch.exp((advantage / temperature).clamp(max=math.log(cap))) * logp
