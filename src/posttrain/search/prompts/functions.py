"""Functions of several numbers to minimise, each 0 at its only minimum; and the means of evolution strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import cos, log, pi

from posttrain.search.prompts.discretised import Solution, Vector


def sphere(x: Sequence[float]) -> float:
    """Σ x_i²."""
    return sum(v * v for v in x)


def rosenbrock(x: Sequence[float]) -> float:
    """Σ 100 (x_{i+1} - x_i²)² + (1 - x_i)², a curved valley with its minimum at (1, ..., 1)."""
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))


def rastrigin(x: Sequence[float]) -> float:
    """Σ 10 + x_i² - 10 cos 2πx_i, with a local minimum at every point of whole numbers."""
    return sum(10 + v * v - 10 * cos(2 * pi * v) for v in x)


FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sphere": sphere,
    "rosenbrock": rosenbrock,
    "rastrigin": rastrigin,
}


def recombined(members: Sequence[Solution]) -> Vector:
    """Return the weighted mean of the better half, w_i ∝ log(μ + ½) - log i: the mean of a canonical strategy."""
    best = sorted(members, key=lambda m: m[1])[: max(1, len(members) // 2)]
    weights = [log(len(best) + 0.5) - log(i) for i in range(1, len(best) + 1)]
    total = sum(weights)
    return tuple(sum(w * x[k] for w, (x, _) in zip(weights, best, strict=True)) / total for k in range(len(best[0][0])))
