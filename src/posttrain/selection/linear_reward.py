"""Linear rewards θ·ψ learned from comparisons: the most probable θ, and how uncertain it is (Laplace, 1774).

A comparison is z = ψ(preferred) - ψ(other), of which P(z) = σ(θ·z). The posterior of θ under a Gaussian prior is close
to a Gaussian around its maximum whose precision is the curvature there.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NEWTON = 30  # steps; each doubles the digits that are right


class Posterior:
    """A Gaussian over rewards: the mean θ [d] and the precision [d, d]."""

    def __init__(self, mean: Tensor, precision: Tensor) -> None:
        self.mean = mean
        self.precision = precision

    def variance(self, vectors: Tensor) -> Tensor:
        """Variance of θ·v for each vector: v' P⁻¹ v, [N, d] -> [N]."""
        variance: Tensor = (vectors * torch.linalg.solve(self.precision, vectors.T).T).sum(1)
        return variance

    def lower_bound(self, vectors: Tensor, doubt: float) -> Tensor:
        """θ·v less `doubt` standard deviations: [N, d] -> [N]."""
        return vectors @ self.mean - doubt * self.variance(vectors).sqrt()

    def probability(self, vectors: Tensor) -> Tensor:
        """Probability of each comparison, over all θ: σ(m / √(1 + π v/8)) (MacKay, 1992), [N, d] -> [N]."""
        return torch.sigmoid(vectors @ self.mean / (1 + math.pi / 8 * self.variance(vectors)).sqrt())

    def draw(self, seed: int, count: int) -> Tensor:
        """Draw rewards: [count, d]."""
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(count, len(self.mean), generator=generator, dtype=torch.float64)
        factor = torch.linalg.cholesky(self.precision)
        moved: Tensor = torch.linalg.solve_triangular(factor.T, noise.T.to(factor), upper=True).T
        return self.mean + moved


def posterior(vectors: Tensor, *, ridge: float = 1.0, rationality: Tensor | None = None) -> Posterior:
    """Fit θ to comparisons [N, d] by Newton's method, the prior variance being 1/ridge.

        θ = argmin Σ_i log(1 + exp(-β_i θ·z_i)) + ridge/2 |θ|²,    P = ridge I + Σ_i β_i² p_i (1 - p_i) z_i z_i'

    `rationality` [N]: β, how well the person who compared sees the difference; 1 unless given.
    """
    scaled = vectors if rationality is None else vectors * rationality[:, None]
    prior = ridge * torch.eye(vectors.shape[1], dtype=vectors.dtype, device=vectors.device)
    mean, precision = vectors.new_zeros(vectors.shape[1]), prior
    for _ in range(NEWTON):  # the curvature is largest at 0, so that steps from there fall short and none overshoots
        wrong = torch.sigmoid(-scaled @ mean)
        precision = prior + scaled.T @ ((wrong * (1 - wrong))[:, None] * scaled)
        mean = mean + torch.linalg.solve(precision, scaled.T @ wrong - ridge * mean)
    return Posterior(mean, precision)
