"""Gates: weights of the numbers of an answer that its prompt decides."""

from __future__ import annotations

from torch import Tensor


def mixed(gate: Tensor, numbers: Tensor) -> Tensor:
    """Mix K attributes with the weights of their gate: [B, K] and [B, K n] -> [B].

        Σ_k g_k 1/n Σ_i r_ki,    g = softmax(gate)

    n numbers of one attribute (its quantiles), side by side, count as their mean.
    """
    means = numbers.reshape(*gate.shape, -1).mean(-1)
    return (gate.softmax(-1).to(means.dtype) * means).sum(-1)
