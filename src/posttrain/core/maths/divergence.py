"""Estimators of KL(p || q) from tokens sampled from p, with d = log p - log q (Schulman, 2020, "Approximating KL").

On policy, the gradient of the per-token estimate is: k1 zero in mean, k2 the exact gradient of KL(p || q),
k3 the gradient of KL(q || p). All have non-negative mean; k2 and k3 are never negative.
"""

from __future__ import annotations

import functools
import math

from torch import Tensor
from torch.nn.functional import softplus

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


def bernoulli_kl(a: Tensor, b: Tensor) -> Tensor:
    """KL of a coin with logit a from one with logit b."""
    return a.sigmoid() * (softplus(-b) - softplus(-a)) + (-a).sigmoid() * (softplus(b) - softplus(a))


@functools.cache
def logit_of_entropy(entropy: float) -> float:
    """The c >= 0 with H(σ(c)) = entropy, for 0 < entropy < log 2, by bisection."""
    low, high = 0.0, 700.0
    for _ in range(200):
        middle = (low + high) / 2
        p = 1 / (1 + math.exp(-middle))
        above = math.log1p(math.exp(-middle)) + (1 - p) * middle > entropy
        low, high = (middle, high) if above else (low, middle)
    return high
