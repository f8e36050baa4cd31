"""Estimators of KL(p || q) from tokens sampled from p, with d = log p - log q (Schulman, 2020, "Approximating KL").

On policy, the gradient of the per-token estimate is: k1 zero in mean, k2 the exact gradient of KL(p || q),
k3 the gradient of KL(q || p). All have non-negative mean; k2 and k3 are never negative.
"""

from __future__ import annotations

from torch import Tensor

LARGEST_EXPONENT = 20.0  # e^20 = 4.9e8: a ratio that large is a mistake, not a measurement


def bounded_exp(x: Tensor) -> Tensor:
    """exp(x), and its tangent beyond x = 20, so that a token the model has given up on cannot overflow the loss.

    A flat continuation would flip the sign of the gradient of k3: the token would be pushed further away.
    """
    return x.clamp(max=LARGEST_EXPONENT).exp() * (1 + (x - LARGEST_EXPONENT).clamp(min=0))


def k1(d: Tensor) -> Tensor:
    return d


def k2(d: Tensor) -> Tensor:
    return d**2 / 2


def k3(d: Tensor) -> Tensor:
    return bounded_exp(-d) + d - 1
