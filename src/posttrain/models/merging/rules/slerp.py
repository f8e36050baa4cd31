"""Animating rotation with quaternion curves (Shoemake, 1985); of task vectors in WARP (Ramé et al., 2024).

Spherical interpolation: it keeps the length that the mean of two vectors at an angle loses.

    slerp(u, v; λ) = sin((1-λ)Ω) / sin Ω u + sin(λΩ) / sin Ω v,    Ω = the angle between u and v

More than two vectors are taken in turn, each with its share of the weights so far.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.errors import ConfigError

PARALLEL = 1e-6  # sin Ω below which the vectors are on one line, and the mean is the limit


def slerp(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Interpolate along the sphere, vector by vector."""
    merged, total = vectors[0], weights[0]
    for vector, weight in zip(vectors[1:], weights[1:], strict=True):
        total += weight
        if total <= 0 or weight < 0:
            raise ConfigError("merge slerp: weights are shares of an arc; give numbers of 0 or more, the first above 0")
        merged = between(merged, vector, weight / total)
    return merged


def between(u: Tensor, v: Tensor, share: float) -> Tensor:
    """The vector a share of the way from u to v."""
    cosine = (u * v).sum() / (u.norm() * v.norm()).clamp(min=torch.finfo(u.dtype).tiny)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if bool(angle.sin() < PARALLEL):
        return torch.lerp(u, v, share)
    return (((1 - share) * angle).sin() * u + (share * angle).sin() * v) / angle.sin()
