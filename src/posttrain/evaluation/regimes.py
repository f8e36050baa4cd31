"""Reveal the Mystery of DPO: The Connection between DPO and RL Algorithms (Su et al., 2025).

UDRRA: how much must be known to reach π* ∝ π_ref e^{r/β}? Each regime is a regression whose only zero is π*, and each
needs less than the one before. `s` = log π/π_ref of all answers to a prompt [K], under any full-support distribution:

    RA    (β s + β log Z - r)²                    the rewards and log Z     = DRO with V = β log Z
    RDA   (β (s_i - s_j) - (r_i - r_j))²          differences of rewards    = RPO with squares, REBEL
    PRA   KL(σ(r_i - r_j) || σ(β (s_i - s_j)))    preferences alone         = DPO on exact soft labels, less entropy
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


def optimum(reference: ArrayLike, reward: ArrayLike, beta: float) -> Vector:
    """Return π* ∝ π_ref e^{r/β} [K]."""
    p = np.asarray(reference, float) * np.exp((np.asarray(reward, float) - np.max(reward)) / beta)
    return np.asarray(p / p.sum())


def reward_alignment(s: ArrayLike, reward: ArrayLike, reference: ArrayLike, beta: float) -> float:
    """Return the mean of (β s + β log Z - r)², log Z = log Σ π_ref e^{r/β}."""
    s, r, p = (np.asarray(x, float) for x in (s, reward, reference))
    log_z = float(np.log(np.sum(p * np.exp((r - r.max()) / beta))) + r.max() / beta)
    return float(np.mean((beta * s + beta * log_z - r) ** 2))


def difference_alignment(s: ArrayLike, reward: ArrayLike, beta: float) -> float:
    """Return the mean of (β (s_i - s_j) - (r_i - r_j))² over all pairs i < j."""
    return float(np.mean((beta * _differences(s) - _differences(reward)) ** 2))


def preference_alignment(s: ArrayLike, reward: ArrayLike, beta: float) -> float:
    """Return the mean over all pairs of KL(p || q), p = σ(r_i - r_j) and q = σ(β (s_i - s_j))."""
    a, b = _differences(reward), beta * _differences(s)
    cross = _sigmoid(a) * _softplus(-b) + _sigmoid(-a) * _softplus(b)
    entropy = _sigmoid(a) * _softplus(-a) + _sigmoid(-a) * _softplus(a)
    return float(np.mean(cross - entropy))


def _differences(x: ArrayLike) -> Vector:
    x = np.asarray(x, float)
    i, j = np.triu_indices(len(x), 1)
    return np.asarray(x[i] - x[j])


def _softplus(x: Vector) -> Vector:
    return np.asarray(np.logaddexp(0.0, x))


def _sigmoid(x: Vector) -> Vector:
    return np.asarray(np.exp(-_softplus(-x)))
