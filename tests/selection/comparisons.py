"""Comparisons of a known linear reward."""

import torch
from torch import Tensor


def truth(d: int, size: float = 2.0) -> Tensor:
    theta = torch.randn(d, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return size * theta / theta.norm()


def answered(theta: Tensor, vectors: Tensor, seed: int, rationality: Tensor | float = 1.0) -> Tensor:
    """Comparisons [N, d] as somebody answers them: turned around where he prefers the second answer."""
    drawn = torch.rand(len(vectors), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    first = drawn < torch.sigmoid(rationality * (vectors @ theta))
    return torch.where(first[:, None], vectors, -vectors)


def preferred(theta: Tensor, count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(1000 + seed)
    return answered(theta, torch.randn(count, len(theta), generator=generator, dtype=torch.float64), seed)
