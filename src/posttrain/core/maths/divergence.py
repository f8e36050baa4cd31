"""Estimators of KL(p || q) from tokens sampled from p, with d = log p - log q (Schulman, 2020, "Approximating KL").

On policy, the expected gradient of the per-token estimate is zero for k1, that of KL(p || q) for k2, and that of
KL(q || p) for k3. All have a non-negative mean; k2 and k3 are never negative.
"""

from __future__ import annotations

import functools
import math

from torch import Tensor
from torch.nn.functional import softplus

LARGEST_EXPONENT = 20.0  # e^20 = 4.9e8: a ratio that large is a mistake, not a measurement


def bounded_exp(x: Tensor) -> Tensor:
    """Compute exp(x), continued by its tangent beyond x = 20, so that no improbable token overflows the loss.

    A constant continuation would flip the sign of k3's gradient, which would push the token even further away.
    """
    return x.clamp(max=LARGEST_EXPONENT).exp() * (1 + (x - LARGEST_EXPONENT).clamp(min=0))


def k1(d: Tensor) -> Tensor:
    """Estimate the KL by d: unbiased, of high variance."""
    return d


def k2(d: Tensor) -> Tensor:
    """Estimate the KL by d²/2: biased, of low variance."""
    return d**2 / 2


def k3(d: Tensor) -> Tensor:
    """Estimate the KL by e^{-d} + d - 1: unbiased, of low variance."""
    return bounded_exp(-d) + d - 1


def bernoulli_kl(a: Tensor, b: Tensor) -> Tensor:
    """Compute KL(Bernoulli(σ(a)) || Bernoulli(σ(b)))."""
    return a.sigmoid() * (softplus(-b) - softplus(-a)) + (-a).sigmoid() * (softplus(b) - softplus(a))


@functools.cache
def logit_of_entropy(entropy: float) -> float:
    """Find the c ≥ 0 with H(σ(c)) = entropy (in nats), for 0 < entropy < log 2, by bisection."""
    low, high = 0.0, 700.0
    for _ in range(200):
        middle = (low + high) / 2
        p = 1 / (1 + math.exp(-middle))
        above = math.log1p(math.exp(-middle)) + (1 - p) * middle > entropy
        low, high = (middle, high) if above else (low, middle)
    return high
